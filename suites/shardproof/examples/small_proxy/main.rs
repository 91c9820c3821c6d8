//! The small proxy as a program: `small_proxy LISTEN MILLISECONDS NODE...`, with the bug that `SMALL_PROXY_BUG` names.

mod bug;
mod proxy;

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

const USAGE: &str = "usage: small_proxy LISTEN MILLISECONDS NODE...";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let first = words.next().ok_or(USAGE)?;
    if first == "--version" {
        println!("small_proxy 1.0");
        return Ok(());
    }
    let milliseconds = words.next().ok_or(USAGE)?.parse()?;
    let nodes: Vec<SocketAddr> = words.map(|word| word.parse()).collect::<Result<_, _>>()?;
    let bug = env::var("SMALL_PROXY_BUG").ok();
    let bug = bug.map(|name| bug::named(&name).ok_or(format!("SMALL_PROXY_BUG={name}: unknown")));
    let time_limit = Duration::from_millis(milliseconds);
    proxy::serve(first.parse()?, &nodes, time_limit, bug.transpose()?).await?;
    Ok(())
}
