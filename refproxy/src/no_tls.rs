//! TLS where it is not built in: every setting is refused, so that no connection by TLS exists.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::config::{ClientTls, NodeTls};

const NOT_BUILT_IN: &str = "not built in: build refproxy with its feature `tls`";

/// There is none.
#[derive(Debug, Clone)]
pub enum Acceptor {}

/// There is none.
#[derive(Debug, Clone)]
pub enum Connector {}

/// There is none.
#[derive(Debug)]
pub(crate) enum TlsStream {}

impl Acceptor {
    /// Refuses.
    pub(crate) fn new(_: &ClientTls) -> Result<Self, String> {
        Err(NOT_BUILT_IN.to_owned())
    }

    pub(crate) async fn accept(&self, _: TcpStream) -> Result<Box<TlsStream>, String> {
        match *self {}
    }
}

impl Connector {
    /// Refuses.
    pub(crate) fn new(_: &NodeTls) -> Result<Self, String> {
        Err(NOT_BUILT_IN.to_owned())
    }

    pub(crate) async fn connect(&self, _: &str, _: TcpStream) -> Result<Box<TlsStream>, String> {
        match *self {}
    }
}

pub(crate) fn fault(_: &io::Error) -> Option<String> {
    None
}

impl TlsStream {
    pub(crate) fn get_ref(&self) -> (&TcpStream, ()) {
        match *self {}
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match *self {}
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}
