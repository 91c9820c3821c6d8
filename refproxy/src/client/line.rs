//! A client's line in CLIENT INFO and CLIENT LIST, in the format of Redis 7.0 with the library of 7.2.
//!
//! Fields that do not apply to the proxy, such as a buffer per client, are 0.

use crate::resp::Protocol;

/// The identity of a client.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientIdentity {
    /// Both ends of its connection.
    pub(crate) peer: String,
    pub(crate) local: String,
    /// Whether it is a Unix socket.
    pub(crate) is_unix: bool,
    pub(crate) descriptor: i32,
    pub(crate) name: Vec<u8>,
    pub(crate) user: Vec<u8>,
    pub(crate) library: Vec<u8>,
    pub(crate) library_version: Vec<u8>,
    pub(crate) protocol: Protocol,
}

/// The activity of a client at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ClientActivity {
    pub(crate) age_seconds: u64,
    pub(crate) idle_seconds: u64,
    /// Requests queued after MULTI.
    pub(crate) queued: Option<usize>,
    /// Bytes of requests that are not complete, of its transaction, and of replies that it has not read.
    pub(crate) unfinished: usize,
    pub(crate) transaction: usize,
    pub(crate) owed: usize,
    /// The row of its last request.
    pub(crate) command: Option<&'static str>,
}

/// The client's line, with its end.
pub(crate) fn line(id: u64, about: &ClientIdentity, moment: &ClientActivity) -> Vec<u8> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let multi = moment.queued.map(i64::try_from);
    let multi = multi.map_or(-1, |queued| queued.unwrap_or(i64::MAX));
    let flags = match (moment.queued, about.is_unix) {
        (Some(_), true) => "xU",
        (Some(_), false) => "x",
        (None, true) => "U",
        (None, false) => "N",
    };
    let memory = moment.unfinished + moment.transaction + moment.owed;
    let events = if moment.owed > 0 { "rw" } else { "r" };
    let command = moment.command.map(str::to_ascii_lowercase);
    let command = command.as_deref().unwrap_or("NULL");
    let resp = match about.protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    format!(
        "id={id} addr={} laddr={} fd={} name={} age={} idle={} flags={flags} db=0 sub=0 psub=0 ssub=0 multi={multi} \
         qbuf={} qbuf-free=0 argv-mem=0 multi-mem={} rbs=0 rbp=0 obl=0 oll=0 omem={} tot-mem={memory} events={events} \
         cmd={command} user={} redir=-1 resp={resp} lib-name={} lib-ver={}\n",
        about.peer,
        about.local,
        about.descriptor,
        text(&about.name),
        moment.age_seconds,
        moment.idle_seconds,
        moment.unfinished,
        moment.transaction,
        moment.owed,
        text(&about.user),
        text(&about.library),
        text(&about.library_version),
    )
    .into_bytes()
}
