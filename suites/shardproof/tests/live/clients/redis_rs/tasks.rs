//! The client for tokio: many tasks over one connection.

use std::collections::HashMap;

use libtest_mimic::Failed;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Value, cmd, pipe};

use super::{TIME_LIMIT, expect, opened};
use crate::clients::site::Site;

pub(super) fn work(site: &Site, options: &str, protocol: i64) -> Result<(), Failed> {
    let client = opened(site, options)?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(TIME_LIMIT))
        .set_response_timeout(Some(TIME_LIMIT));
    site.block_on(async {
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await?;
        let said: HashMap<String, Value> = cmd("HELLO").query_async(&mut connection).await?;
        expect(
            "the protocol",
            said.get("proto"),
            Some(&Value::Int(protocol)),
        )?;
        scores(&mut connection).await?;
        share(connection).await
    })
}

/// Floats, which are text in one protocol and of their own kind in the other.
async fn scores(connection: &mut MultiplexedConnection) -> Result<(), Failed> {
    let mut scores = pipe();
    scores.zadd("z", "ada", 1.5).ignore();
    scores.zscore("z", "ada").zscore("z", "zoe");
    let scores: (f64, Option<f64>) = scores.query_async(connection).await?;
    expect("scores", scores, (1.5, None))
}

/// Many tasks over one connection: each gets the replies to its own requests.
async fn share(connection: MultiplexedConnection) -> Result<(), Failed> {
    let tasks: Vec<_> = (0..50)
        .map(|number| tokio::spawn(task(connection.clone(), number)))
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn task(mut connection: MultiplexedConnection, tag: usize) -> Result<(), Failed> {
    for number in 0..20 {
        let (key, twin) = (format!("{{{tag}}}:{number}"), format!("{{{tag}}}:twin"));
        let mut both = pipe();
        both.set(&key, number).ignore().get(&key);
        let value: (usize,) = both.query_async(&mut connection).await?;
        expect(&key, value, (number,))?;
        both.clear();
        both.atomic()
            .set(&twin, number)
            .ignore()
            .mget(&[&key, &twin]);
        let values: ((usize, usize),) = both.query_async(&mut connection).await?;
        expect(&twin, values, ((number, number),))?;
    }
    Ok(())
}
