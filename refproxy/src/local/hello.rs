//! AUTH and HELLO: the user and the protocol of a client.

use super::{BAD_CLIENT_NAME, Identity, is_client_name};
use crate::auth::DEFAULT_USER;
use crate::command::REDIS_VERSION;
use crate::resp::{
    Protocol, put_array, put_bulk, put_error, put_integer, put_map, put_simple, strict,
};

const WRONG_PASS: &[u8] = b"WRONGPASS invalid username-password pair or user is disabled.";
const NO_PASSWORD: &[u8] =
    b"ERR AUTH <password> called without any password configured for the default user. Are you \
sure your configuration is correct?";
const HELLO_STRANGER: &[u8] = b"NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO \
AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time";

/// Answers AUTH with these arguments.
pub(super) fn auth<'a>(
    args: impl Iterator<Item = &'a [u8]>,
    identity: &mut Identity,
    out: &mut Vec<u8>,
) {
    let args: Vec<&[u8]> = args.collect();
    let (user, password) = match args[..] {
        [_] if identity.users.is_open() => return put_error(out, NO_PASSWORD),
        [password] => (DEFAULT_USER.as_bytes(), password),
        [user, password] => (user, password),
        _ => return put_error(out, b"ERR syntax error"),
    };
    match log_in(user, password, identity) {
        Ok(()) => put_simple(out, "OK"),
        Err(text) => put_error(out, text),
    }
}

/// A failed AUTH keeps the previous login.
fn log_in(user: &[u8], password: &[u8], identity: &mut Identity) -> Result<(), &'static [u8]> {
    if !identity.users.know(user, password) {
        return Err(WRONG_PASS);
    }
    identity.known = true;
    identity.about.user = user.to_vec();
    Ok(())
}

/// Answers HELLO with these arguments.
pub(super) fn hello<'a>(
    args: impl Iterator<Item = &'a [u8]>,
    identity: &mut Identity,
    out: &mut Vec<u8>,
) {
    match understand(args, identity) {
        Ok(()) => put_greeting(identity, out),
        Err(text) => put_error(out, &text),
    }
}

/// Applies HELLO's options, one after the other, up to the first invalid one, as in Redis.
fn understand<'a>(
    mut args: impl Iterator<Item = &'a [u8]>,
    identity: &mut Identity,
) -> Result<(), Vec<u8>> {
    let wanted = wanted(args.next(), identity)?;
    let args: Vec<&[u8]> = args.collect();
    let mut rest = args.as_slice();
    loop {
        rest = match rest {
            [option, user, password, rest @ ..] if option.eq_ignore_ascii_case(b"AUTH") => {
                log_in(user, password, identity)?;
                rest
            }
            [option, name, rest @ ..] if option.eq_ignore_ascii_case(b"SETNAME") => {
                if !is_client_name(name) {
                    return Err(BAD_CLIENT_NAME.to_vec());
                }
                identity.about.name = name.to_vec();
                rest
            }
            [option, ..] => {
                let mut text = b"ERR Syntax error in HELLO option '".to_vec();
                text.extend(option.iter().take(128));
                text.push(b'\'');
                return Err(text);
            }
            [] => break,
        };
    }
    if !identity.known {
        return Err(HELLO_STRANGER.to_vec());
    }
    identity.about.protocol = wanted;
    Ok(())
}

/// The protocol that HELLO with this first argument asks for.
pub(super) fn wanted(
    version: Option<&[u8]>,
    identity: &Identity,
) -> Result<Protocol, &'static [u8]> {
    match version.map(strict) {
        None => Ok(identity.protocol()),
        Some(Some(2)) => Ok(Protocol::Resp2),
        Some(Some(3)) => Ok(Protocol::Resp3),
        Some(Some(_)) => Err(b"NOPROTO unsupported protocol version"),
        Some(None) => Err(b"ERR Protocol version is not an integer or out of range"),
    }
}

fn put_greeting(identity: &Identity, out: &mut Vec<u8>) {
    put_map(out, identity.protocol(), 7);
    put_bulk(out, b"server");
    put_bulk(out, b"redis");
    put_bulk(out, b"version");
    put_bulk(out, REDIS_VERSION.as_bytes());
    put_bulk(out, b"proto");
    put_integer(
        out,
        match identity.protocol() {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        },
    );
    put_bulk(out, b"id");
    put_integer(out, i64::try_from(identity.id).unwrap_or(i64::MAX));
    put_bulk(out, b"mode");
    put_bulk(out, b"standalone");
    put_bulk(out, b"role");
    put_bulk(out, b"master");
    put_bulk(out, b"modules");
    put_array(out, 0);
}
