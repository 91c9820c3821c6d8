//! Keys from a file, one per line, as they are or in hexadecimal digits.
//!
//! A line is a key byte by byte: it is not trimmed, and an empty line is the empty key. A line end after the last key
//! does not begin another one.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use memchr::{memchr_iter, memrchr};

use super::{Block, Error, Held, KEY_BYTES_MAX, Source};

/// Bytes per read: large enough that no thread waits.
const BLOCK_BYTES: usize = 1 << 20;

/// Whether lines are keys or hexadecimal digits of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    Plain,
    /// Two digits per byte.
    Hex,
}

/// A file of keys.
pub struct Lines {
    file: Box<dyn Read + Send>,
    place: Place,
    form: Form,
    /// The start of a line whose end was not read yet.
    rest: Vec<u8>,
    blocks: u64,
    block_bytes: usize,
    key_bytes_max: usize,
    ended: bool,
}

/// Line numbers, for errors.
#[derive(Debug, Clone)]
pub(super) struct Place {
    file: Arc<str>,
    form: Form,
    /// Number of the block's first line, from 1.
    first: u64,
    key_bytes_max: usize,
}

impl Lines {
    /// The lines of a file; `-` is standard input.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path, form: Form) -> Result<Self, Error> {
        if path == Path::new("-") {
            return Ok(Self::of(Box::new(io::stdin()), "standard input", form));
        }
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Ok(Self::of(Box::new(file), &name, form)),
            Err(why) => Err(unreadable(&name, &why)),
        }
    }

    /// The lines of any reader; `name` is its name in errors.
    #[must_use]
    pub fn of(file: Box<dyn Read + Send>, name: &str, form: Form) -> Self {
        Self {
            file,
            place: Place {
                file: name.into(),
                form,
                first: 1,
                key_bytes_max: KEY_BYTES_MAX,
            },
            form,
            rest: Vec::new(),
            blocks: 0,
            block_bytes: BLOCK_BYTES,
            key_bytes_max: KEY_BYTES_MAX,
            ended: false,
        }
    }

    /// Reads blocks and accepts keys up to a maximum length.
    #[cfg(test)]
    pub(super) fn limited(mut self, block_bytes: usize, key_bytes_max: usize) -> Self {
        self.block_bytes = block_bytes;
        self.key_bytes_max = key_bytes_max;
        self.place.key_bytes_max = key_bytes_max;
        self
    }

    /// The longest line that may be a key.
    fn line_bytes_max(&self) -> usize {
        match self.form {
            Form::Plain => self.key_bytes_max,
            Form::Hex => 2 * self.key_bytes_max,
        }
    }

    /// Appends the available bytes, and waits only if there are none: a pipe may be slow. 0 at the end.
    fn read_some(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let known = bytes.len();
        bytes.resize(known + self.block_bytes, 0);
        let read = loop {
            match self.file.read(&mut bytes[known..]) {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        bytes.truncate(known + read.as_ref().map_or(0, |read| *read));
        read
    }

    /// Appends until there is a whole line, or the end; returns the end of the last whole line, after its line end.
    fn read_lines(&mut self, bytes: &mut Vec<u8>) -> Result<usize, Error> {
        loop {
            let known = bytes.len();
            let read = self.read_some(bytes);
            let read = read.map_err(|why| unreadable(&self.place.file, &why))?;
            if read == 0 {
                self.ended = true;
                return Ok(bytes.len());
            }
            if let Some(end) = memrchr(b'\n', &bytes[known..]) {
                return Ok(known + end + 1);
            }
            if bytes.len() > self.line_bytes_max() {
                return Err(self.place.too_long(self.place.first));
            }
        }
    }
}

impl Source for Lines {
    fn fill(&mut self, block: &mut Block) -> Result<bool, Error> {
        if self.ended {
            return Ok(false);
        }
        let bytes = &mut block.bytes;
        bytes.clear();
        bytes.append(&mut self.rest);
        let end = self.read_lines(bytes)?;
        self.rest.extend_from_slice(&bytes[end..]);
        bytes.truncate(end);
        block.held = Held::Lines(self.place.clone());
        block.number = self.blocks;
        self.blocks += 1;
        self.place.first += memchr_iter(b'\n', bytes).count() as u64;
        Ok(!bytes.is_empty())
    }
}

impl Place {
    /// Passes each key of these lines to `take`.
    pub(super) fn each(&self, bytes: &[u8], mut take: impl FnMut(&[u8])) -> Result<u64, Error> {
        let mut key = Vec::new();
        let mut line = self.first;
        let mut one = |text: &[u8], line: u64| -> Result<(), Error> {
            match self.form {
                Form::Plain if text.len() > self.key_bytes_max => Err(self.too_long(line)),
                Form::Hex if text.len() > 2 * self.key_bytes_max => Err(self.too_long(line)),
                Form::Plain => {
                    take(text);
                    Ok(())
                }
                Form::Hex => {
                    decode(text, &mut key).ok_or_else(|| Error::NotHex {
                        file: self.file.to_string(),
                        line,
                    })?;
                    take(&key);
                    Ok(())
                }
            }
        };
        let mut start = 0;
        for end in memchr_iter(b'\n', bytes) {
            one(&bytes[start..end], line)?;
            start = end + 1;
            line += 1;
        }
        if start < bytes.len() {
            one(&bytes[start..], line)?;
            line += 1;
        }
        Ok(line - self.first)
    }

    fn too_long(&self, line: u64) -> Error {
        Error::TooLong {
            file: self.file.to_string(),
            line,
            max: self.key_bytes_max,
        }
    }
}

fn unreadable(file: &str, why: &io::Error) -> Error {
    Error::Unreadable {
        file: file.to_owned(),
        why: why.to_string(),
    }
}

/// Decodes hexadecimal digits, if valid.
#[must_use]
pub fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    decode(text, &mut bytes).map(|()| bytes)
}

/// As [`from_hex`], in memory that is used again.
fn decode(text: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    bytes.clear();
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    let digit = |letter: u8| char::from(letter).to_digit(16);
    for [high, low] in pairs {
        // Two digits of 16 are at most 255.
        bytes.push((digit(*high)? * 16 + digit(*low)?) as u8);
    }
    Some(())
}
