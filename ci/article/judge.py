"""Reads the measurements, one JSON object per policy and line, compares them with the article's claims, and judges.

With an argument, the table of claims is also written to that file, for docs/rescale.md.
"""

import json
import sys

runs = [json.loads(line) for line in sys.stdin]
broken = []


def law(holds, promise):
    if not holds:
        broken.append(promise)


def percent(part, whole):
    return f"{100 * part / whole:.1f} %"


for run in runs:
    policy, keys, more, read = run["policy"], run["keys"], run["more"], run["read"]
    print(f"\nEnvoy, STRICT_DNS, {policy}, {keys} keys with a TTL of 60 s, redis scaled 3 -> 4, proxy recreated\n")
    rows = [
        ("3 nodes, all written", run["held_before"]),
        (f"4 nodes, {more} more written", run["held_after"]),
        ("4 nodes, all written again", run["held_again"]),
    ]
    print(f"  {'keys on node':<30}" + "".join(f"{n:>8}" for n in range(1, 5)))
    for what, held in rows:
        print(f"  {what:<30}" + "".join(f"{count:>8}" for count in held))
    print()
    for fate in ["found", "unreachable", "lost", "wrong", "failed"]:
        print(f"  {fate:<12}{read[fate]:>8}  {percent(read[fate], keys):>7}")
    law(run["acknowledged"] == [keys, more, keys + more], f"{policy}: every write is acknowledged")
    law(sum(run["held_before"]) == keys, f"{policy}: every key lies on one node")
    law(read["found"] + read["unreachable"] == keys, f"{policy}: a key is found, or lies where the proxy does not ask")
    # A ring has few points per node, so its share depends on the addresses.
    most = 0.30 if policy == "MAGLEV" else 0.60
    law(0.20 < read["unreachable"] / keys < most, f"{policy}: between 20 % and {most:.0%} of the keys are asked for elsewhere")
    least = min(run["held_after"][:3])
    law(0 < run["held_after"][3] < least / 4, f"{policy}: the fourth node holds far fewer keys than any other")
    law(run["held_again"][3] > 0.15 * keys, f"{policy}: the fourth node has its share once everything is written again")

print("\nEnvoy's own count, from /stats?usedonly&filter=redis.egress_redis.command (the proxy that came last)\n")
for line in runs[-1]["stats"]:
    if ".latency" not in line:
        print(f"  {line}")
counted = dict(line.split(": ", 1) for line in runs[-1]["stats"] if ": " in line)
for command, at_least in [("get", runs[-1]["keys"]), ("set", runs[-1]["keys"])]:
    total = int(counted.get(f"redis.egress_redis.command.{command}.total", 0))
    law(total >= at_least, f"Envoy counted at least {at_least} {command}, not {total}")

share = {run["policy"]: run["read"]["unreachable"] / run["keys"] for run in runs}
first = runs[0]
others = sum(first["held_after"][:3]) / 3
more = "yes" if share["MAGLEV"] > share["RING_HASH"] else "no"
claims = [
    ("the 4th node holds far fewer keys", f"{first['held_after'][3]}, where the others hold {others:.0f} on average"),
    (
        "reads miss keys that still exist on another node",
        f"{first['read']['unreachable']} of {first['keys']}, {percent(first['read']['unreachable'], first['keys'])}",
    ),
    (
        "MAGLEV moves more keys than RING_HASH",
        f"{more}: {100 * share['MAGLEV']:.1f} % and {100 * share['RING_HASH']:.1f} %; the expected minimum is 25 %",
    ),
]
print(f"\n{'The article says':<54}measured here")
for claim, measured in claims:
    print(f"  {claim:<52}{measured}")
if len(sys.argv) > 1:
    with open(sys.argv[1], "w") as table:
        table.write("| the article says | measured |\n|---|---|\n")
        table.writelines(f"| {claim} | {measured} |\n" for claim, measured in claims)

for promise in broken:
    print(f"broken: {promise}", file=sys.stderr)
print(f"\narticle: {'as expected' if not broken else f'{len(broken)} promises broken'}")
sys.exit(1 if broken else 0)
