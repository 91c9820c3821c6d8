"""Many tasks that share a pool of connections, some of which are cancelled while they wait."""

import asyncio

import redis.asyncio

from _client import connect_async
from workload import HOST, OPTIONS, PORT, expect


async def main():
    few = {"max_connections": 5, "timeout": 20, "client_name": "tasks"}
    pool = redis.asyncio.BlockingConnectionPool(host=HOST, port=PORT, **few, **OPTIONS)
    client = redis.asyncio.Redis(connection_pool=pool)

    async def work(task):
        for number in range(20):
            key = f"task:{task}:{number}"
            await client.set(key, key)
            expect(f"the value of {key}", await client.get(key), key.encode())
            await client.incr("shared")

    await asyncio.gather(*(work(task) for task in range(20)))
    expect("what they counted", await client.get("shared"), b"400")
    expect("the name", await client.client_getname() in ("tasks", b"tasks"), True)

    # Tasks that are cancelled while they wait: no other task may get their replies.
    tasks = [asyncio.create_task(client.get(f"task:{task}:0")) for task in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in range(20):
        expect("after cancelled tasks", await client.get(f"task:{task}:1"), b"task:%d:1" % task)
    await pool.disconnect()

    by_url = redis.asyncio.from_url(f"redis://{HOST}:{PORT}/0", decode_responses=True, **OPTIONS)
    expect("a URL", [await by_url.ping(), await by_url.get("shared")], [True, "400"])
    await by_url.close()
    checked = connect_async(health_check_interval=30)
    expect("with health checks", [await checked.incr("n") for _ in range(5)], [1, 2, 3, 4, 5])
    await checked.close()


asyncio.run(main())
