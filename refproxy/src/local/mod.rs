//! Replies of the proxy itself, in the words of the Redis that the table was made from.
//!
//! Never asks a node, never waits.

mod clients;
mod hello;
mod introspect;

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::auth::{DEFAULT_USER, Users};
use crate::client::{ClientActivity, ClientIdentity, line};
use crate::command::{Local, Refusal, Row};
use crate::resp::{
    Args, Protocol, put_array, put_bulk, put_error, put_integer, put_null, put_simple,
    put_verbatim, strict,
};
pub(crate) use clients::{INCOMPLETE, Wanted};

/// The identity that a client has given.
#[derive(Debug)]
pub(crate) struct Identity {
    id: u64,
    about: ClientIdentity,
    /// Current activity, if requested.
    moment: ClientActivity,
    /// Whether it is one of `users`, or need not be.
    known: bool,
    users: Rc<Users>,
}

impl Identity {
    pub(crate) fn new(id: u64, users: Rc<Users>, mut about: ClientIdentity) -> Self {
        about.user = DEFAULT_USER.into();
        Self {
            id,
            about,
            moment: ClientActivity::default(),
            known: users.is_open(),
            users,
        }
    }

    /// Its identity.
    pub(crate) fn about(&self) -> &ClientIdentity {
        &self.about
    }

    /// Current activity.
    pub(crate) fn observe(&mut self, moment: ClientActivity) {
        self.moment = moment;
    }

    /// Whether the client is logged in, or needs no login.
    #[inline]
    pub(crate) fn is_known(&self) -> bool {
        self.known
    }

    /// The protocol of replies to the client.
    #[inline]
    pub(crate) fn protocol(&self) -> Protocol {
        self.about.protocol
    }

    /// The state when the client connected, except its library, which stays the same.
    fn reset(&mut self) {
        let about = ClientIdentity {
            name: Vec::new(),
            protocol: Protocol::Resp2,
            ..std::mem::take(&mut self.about)
        };
        *self = Self::new(self.id, Rc::clone(&self.users), about);
    }
}

/// What happens to the connection after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    GoOn,
    HangUp,
}

/// Whether the answer to the complete request in `frame` would change which protocol the client is answered in.
pub(crate) fn changes_protocol(local: Local, frame: &[u8], identity: &Identity) -> bool {
    let version = Args::of(frame).nth(1);
    local == Local::Hello
        && hello::wanted(version, identity).is_ok_and(|wanted| wanted != identity.protocol())
}

/// Writes the answer to the complete request in `frame`, whose arity is that of `row`.
pub(crate) fn answer(
    local: Local,
    row: &'static Row,
    frame: &[u8],
    identity: &mut Identity,
    out: &mut Vec<u8>,
) -> Next {
    let mut args = Args::of(frame).skip(1);
    match local {
        Local::Ping => match (args.next(), args.next()) {
            (None, _) => put_simple(out, "PONG"),
            (Some(text), None) => put_bulk(out, text),
            (Some(_), Some(_)) => refuse(Refusal::WrongArity(row), frame, out),
        },
        Local::Echo => put_bulk(out, args.next().unwrap_or_default()),
        Local::Quit => {
            put_simple(out, "OK");
            return Next::HangUp;
        }
        Local::Time => time(out),
        Local::Select => select(args.next().unwrap_or_default(), out),
        Local::Auth => hello::auth(args, identity, out),
        Local::Hello => hello::hello(args, identity, out),
        Local::Reset => {
            identity.reset();
            put_simple(out, "RESET");
        }
        Local::Client => client(args, identity, out),
        Local::GetKeys => {
            let args: Vec<&[u8]> = args.skip(1).collect();
            if let Err(refusal) = introspect::get_keys(row, &args, out) {
                refuse(refusal, frame, out);
            }
        }
    }
    Next::GoOn
}

fn time(out: &mut Vec<u8>) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    put_array(out, 2);
    put_bulk(out, now.as_secs().to_string().as_bytes());
    put_bulk(out, now.subsec_micros().to_string().as_bytes());
}

fn select(index: &[u8], out: &mut Vec<u8>) {
    match strict(index).and_then(|index| i32::try_from(index).ok()) {
        Some(0) => put_simple(out, "OK"),
        Some(_) => put_error(out, b"ERR DB index is out of range"),
        None => put_error(out, b"ERR value is not an integer or out of range"),
    }
}

const BAD_CLIENT_NAME: &[u8] =
    b"ERR Client names cannot contain spaces, newlines or special characters.";

fn is_client_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

fn client<'a>(args: impl Iterator<Item = &'a [u8]>, identity: &mut Identity, out: &mut Vec<u8>) {
    let args: Vec<&[u8]> = args.collect();
    let (subcommand, args) = args
        .split_first()
        .map_or((&b""[..], &[][..]), |(first, rest)| (*first, rest));
    match (subcommand.to_ascii_uppercase().as_slice(), args) {
        (b"ID", []) => put_integer(out, i64::try_from(identity.id).unwrap_or(i64::MAX)),
        (b"INFO", []) => {
            let line = line(identity.id, &identity.about, &identity.moment);
            put_verbatim(out, identity.protocol(), &line);
        }
        (b"GETNAME", []) if identity.about.name.is_empty() => put_null(out, identity.protocol()),
        (b"GETNAME", []) => put_bulk(out, &identity.about.name),
        (b"SETNAME", [name]) if is_client_name(name) => {
            identity.about.name = name.to_vec();
            put_simple(out, "OK");
        }
        (b"SETNAME", [_]) => put_error(out, BAD_CLIENT_NAME),
        (b"SETINFO", [attribute, value]) => set_info(attribute, value, identity, out),
        (b"NO-EVICT", [mode])
            if mode.eq_ignore_ascii_case(b"ON") || mode.eq_ignore_ascii_case(b"OFF") =>
        {
            // No client is evicted for its memory.
            put_simple(out, "OK");
        }
        (b"NO-EVICT", [_]) => put_error(out, b"ERR syntax error"),
        // Other rows do not reach this code: the router has checked subcommands and arities.
        _ => {}
    }
}

/// Keeps the library's name or version that a client gives. Source: Redis 7.2 `clientSetinfoCommand`.
fn set_info(attribute: &[u8], value: &[u8], identity: &mut Identity, out: &mut Vec<u8>) {
    let shown = String::from_utf8_lossy(attribute);
    let kept = match attribute.to_ascii_uppercase().as_slice() {
        b"LIB-NAME" => &mut identity.about.library,
        b"LIB-VER" => &mut identity.about.library_version,
        _ => return put_error(out, format!("ERR Unrecognized option '{shown}'").as_bytes()),
    };
    if !is_client_name(value) {
        let text = format!("ERR {shown} cannot contain spaces, newlines or special characters.");
        return put_error(out, text.as_bytes());
    }
    *kept = value.to_vec();
    put_simple(out, "OK");
}

/// The proxy's own answers concern no node.
fn refuse(refusal: Refusal<'_>, frame: &[u8], out: &mut Vec<u8>) {
    put_error(out, &refusal.text(frame, |_| String::new()));
}

#[cfg(test)]
mod tests;
