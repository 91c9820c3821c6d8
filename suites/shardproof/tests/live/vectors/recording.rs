//! A recording: on which node a real proxy put each key of the set, one character per key, compressed.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};

/// The first line: the version of this format.
const FORMAT: &str = "vectors 1";
/// The characters of nodes, in the order of the configuration.
const NODES: &[u8] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ#$%&()*+,-./:;<=>?@[]^_{|}~";
/// The character of a key that the proxy refused, because its node is down.
const REFUSED: u8 = b'!';
/// Keys on one line.
const ROW: usize = 100;

/// The outcome of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Landing {
    /// It is on the node with this place in the configuration.
    On(usize),
    /// The proxy answered with an error, and it is on no node.
    Refused,
}

/// The placements of a real proxy, and its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recording {
    /// The program with its version.
    pub(crate) program: String,
    /// SHA-256 of the configuration's text.
    pub(crate) config: String,
    /// SHA-256 of the key set.
    pub(crate) keys: String,
    /// The nodes as the configuration has them.
    pub(crate) nodes: Vec<String>,
    /// Of each key, in the order of the set.
    pub(crate) landings: Vec<Landing>,
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// It does not exist, or is not a recording.
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let failed = |why: String| format!("{}: {why}", file.display());
        let text = unpacked(file).map_err(failed)?;
        Self::parse(&text).map_err(failed)
    }

    /// Writes a file, unless its contents are equal: another compressor is no change.
    ///
    /// # Errors
    /// More nodes than there are characters, or an error of the operating system.
    pub(crate) fn write(&self, file: &Path) -> Result<(), String> {
        let text = self.text()?;
        if unpacked(file).is_ok_and(|old| old == text) {
            return Ok(());
        }
        let failed = |why: std::io::Error| format!("{}: {why}", file.display());
        // Without a name and a date in it, so that the same text makes the same bytes.
        let mut packed = GzBuilder::new().write(Vec::new(), Compression::best());
        packed.write_all(text.as_bytes()).map_err(failed)?;
        let packed = packed.finish().map_err(failed)?;
        fs::write(file, packed).map_err(failed)
    }

    fn text(&self) -> Result<String, String> {
        let mut text = format!(
            "{FORMAT}\nprogram {}\ncommand make vectors\nconfig  sha256 {}\nkeys    {} sha256 {}\nnodes   {}\n\n",
            self.program,
            self.config,
            self.landings.len(),
            self.keys,
            self.nodes.join(" "),
        );
        for row in self.landings.chunks(ROW) {
            for landing in row {
                text.push(char::from(letter(*landing)?));
            }
            text.push('\n');
        }
        Ok(text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (head, rows) = text
            .split_once("\n\n")
            .ok_or("no empty line behind the header")?;
        let mut lines = head.lines();
        if lines.next() != Some(FORMAT) {
            return Err(format!("`{FORMAT}` is expected on line 1"));
        }
        let mut field = |name: &str| {
            let line = lines.next().and_then(|line| line.strip_prefix(name));
            let value = line.map(|value| value.trim_start().to_owned());
            value.ok_or_else(|| format!("`{name}` is expected in the header"))
        };
        let program = field("program")?;
        field("command")?;
        let config = field("config  sha256")?;
        let (count, keys) = {
            let keys = field("keys")?;
            let (count, keys) = keys.split_once(" sha256 ").ok_or("keys: no SHA-256")?;
            (count.to_owned(), keys.to_owned())
        };
        let nodes = field("nodes")?.split(' ').map(str::to_owned).collect();
        let landings = rows.bytes().filter(|byte| *byte != b'\n').map(landing);
        let landings = landings.collect::<Result<Vec<_>, String>>()?;
        if count.parse() != Ok(landings.len()) {
            return Err(format!(
                "{count} keys are expected, {} are there",
                landings.len()
            ));
        }
        Ok(Self {
            program,
            config,
            keys,
            nodes,
            landings,
        })
    }
}

fn unpacked(file: &Path) -> Result<String, String> {
    let packed = fs::read(file).map_err(|why| why.to_string())?;
    let mut text = String::new();
    let read = GzDecoder::new(&packed[..]).read_to_string(&mut text);
    read.map_err(|why| why.to_string())?;
    Ok(text)
}

fn letter(landing: Landing) -> Result<u8, String> {
    match landing {
        Landing::Refused => Ok(REFUSED),
        Landing::On(node) => NODES
            .get(node)
            .copied()
            .ok_or_else(|| format!("node {node}: at most {} can be written down", NODES.len())),
    }
}

fn landing(letter: u8) -> Result<Landing, String> {
    if letter == REFUSED {
        return Ok(Landing::Refused);
    }
    let node = NODES.iter().position(|known| *known == letter);
    node.map(Landing::On)
        .ok_or_else(|| format!("`{}` stands for no node", letter.escape_ascii()))
}
