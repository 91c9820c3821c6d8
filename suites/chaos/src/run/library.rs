//! Converts replies of the `redis` crate back to the values on the wire.

use redis::{RedisError, Value as Theirs};
use testbed::wire::Value;

/// A reply on the wire. Types that the library does not distinguish become the most common one.
pub(super) fn value(reply: Result<Theirs, RedisError>) -> Value {
    match reply {
        Ok(theirs) => plain(theirs),
        Err(error) => failed(&error),
    }
}

fn plain(theirs: Theirs) -> Value {
    match theirs {
        Theirs::Nil => Value::NullBulk,
        Theirs::Int(number) => Value::Integer(number),
        Theirs::BulkString(bytes) => Value::Bulk(bytes),
        Theirs::Okay => Value::Simple(b"OK".to_vec()),
        Theirs::SimpleString(text) => Value::Simple(text.into_bytes()),
        Theirs::Array(all) | Theirs::Set(all) => Value::Array(all.into_iter().map(plain).collect()),
        Theirs::ServerError(error) => failed(&error.into()),
        // RESP3, which no workload asks for.
        other => Value::Error(format!("ERR unexpected reply {other:?}").into_bytes()),
    }
}

/// The line of an error. The library removes the first word, and replaces some with words of its own.
fn failed(error: &RedisError) -> Value {
    let code = error.code().unwrap_or("ERR");
    let text = match error.detail() {
        Some(detail) => format!("{code} {detail}"),
        None => code.to_owned(),
    };
    Value::Error(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use redis::{Value as Theirs, parse_redis_value};
    use testbed::wire::{Protocol, Value, reply};

    #[test]
    fn replies_are_as_they_were_on_the_wire() {
        for bytes in [
            "+OK\r\n",
            "+QUEUED\r\n",
            ":7\r\n",
            "$3\r\none\r\n",
            "$-1\r\n",
            "*2\r\n$1\r\na\r\n$-1\r\n",
            "-LOADING Redis is loading the dataset in memory\r\n",
            "-MOVED 3999 127.0.0.1:1\r\n",
            "-OOM command not allowed\r\n",
        ] {
            let theirs: Theirs = parse_redis_value(bytes.as_bytes()).expect("a reply");
            let theirs = theirs.extract_error();
            let wanted: (Value, usize) = reply(bytes.as_bytes(), Protocol::Resp2)
                .expect("a reply")
                .expect("a whole reply");
            assert_eq!(super::value(theirs), wanted.0, "{bytes}");
        }
    }
}
