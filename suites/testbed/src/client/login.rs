//! The first requests of a connection: AUTH and SELECT, where the endpoint says so.

use tokio::time::Instant;

use super::{Client, Error, cause};
use crate::endpoint::Endpoint;
use crate::wire::Value;

/// Logs in and selects the database.
pub(super) async fn log_in(
    client: &mut Client,
    addr: Endpoint,
    deadline: Instant,
) -> Result<(), Error> {
    if let Some(login) = addr.login() {
        let user = login.user.as_deref();
        let words = ["AUTH"].into_iter().chain(user);
        let words: Vec<&str> = words.chain([login.password.reveal()]).collect();
        let answer = ask(client, &words, deadline).await?;
        if let Some(why) = refusal(&answer, cause::of_auth) {
            return Err(Error::Refused {
                addr: Box::new(addr),
                asked: "AUTH",
                why,
            });
        }
    }
    if addr.database() > 0 {
        let number = addr.database().to_string();
        let answer = ask(client, &["SELECT", &number], deadline).await?;
        if let Some(why) = refusal(&answer, cause::explained) {
            return Err(Error::Refused {
                addr: Box::new(addr),
                asked: "SELECT",
                why: format!("database {number}: {why}"),
            });
        }
    }
    Ok(())
}

async fn ask(client: &mut Client, words: &[&str], deadline: Instant) -> Result<Value, Error> {
    let left = deadline.saturating_duration_since(Instant::now());
    let answer = client.call(words, left).await;
    answer.map_err(|why| client.explain(why))
}

/// Why an answer is not OK.
fn refusal(answer: &Value, explain: impl Fn(&[u8]) -> String) -> Option<String> {
    match answer {
        Value::Simple(text) if text == b"OK" => None,
        Value::Error(text) => Some(explain(text)),
        _ => Some("the answer is not OK".to_owned()),
    }
}
