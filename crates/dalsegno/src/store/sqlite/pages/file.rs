//! The pages of a store's file as the last commit left them: those of the file, with the log beside it laid over them.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::super::open;
use super::SIZE;
use crate::error::{Error, Result};

/// A page's bytes.
pub(super) type Page = Box<[u8; SIZE]>;

/// The file, opened for nothing but reading; as long as it is, nobody else can open it as a store.
pub(crate) struct Pages {
    file: File,
    log: Option<File>,
    /// Where in the log the newest committed version of a page begins.
    frames: HashMap<u32, u64>,
    /// How many pages the store has.
    count: u32,
}

impl Pages {
    /// Takes `file`, which must be locked, and the log beside `path`.
    ///
    /// # Errors
    /// `Storage` or `Denied` as the disk answers.
    pub(crate) fn of(file: File, path: &Path) -> Result<Self> {
        let failed = |e| Error::io(format!("reading {}", path.display()), e);
        let length = file.metadata().map_err(failed)?.len();
        let beside = open::beside(path, "-wal");
        let log = match File::open(&beside) {
            Ok(log) => Some(log),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(Error::io(format!("reading {}", beside.display()), e)),
        };
        let (frames, count) = log.as_ref().map(frames).unwrap_or_default();
        let whole = u32::try_from(length / SIZE as u64).unwrap_or(u32::MAX);
        Ok(Self {
            file,
            log,
            frames,
            // Pages of the log that were not folded into the file yet lie beyond its end.
            count: count.unwrap_or(whole),
        })
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The page of that number, from 1; nothing where the disk does not give it.
    pub(super) fn get(&self, number: u32) -> Option<Page> {
        if number == 0 || number > self.count {
            return None;
        }
        let mut page = Box::new([0; SIZE]);
        let read = match (self.frames.get(&number), &self.log) {
            (Some(at), Some(log)) => log.read_exact_at(&mut page[..], *at),
            _ => self
                .file
                .read_exact_at(&mut page[..], u64::from(number - 1) * SIZE as u64),
        };
        read.ok().map(|()| page)
    }
}

const HEADER: usize = 32;
const FRAME: usize = 24;

/// The frames of the log up to its last commit, as far as they are whole, and how many pages the store has since.
fn frames(log: &File) -> (HashMap<u32, u64>, Option<u32>) {
    let mut committed = HashMap::new();
    let mut count = None;
    let mut header = [0; HEADER];
    if log.read_exact_at(&mut header, 0).is_err() {
        return (committed, count);
    }
    let magic = word(&header, 0);
    // Its last bit says in which order the bytes are summed.
    let big = match magic {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return (committed, count),
    };
    let mut sum = add((0, 0), header.get(..24).unwrap_or_default(), big);
    let size = word(&header, 8);
    if (word(&header, 24), word(&header, 28)) != sum || size as usize != SIZE {
        return (committed, count);
    }
    let salts = (word(&header, 16), word(&header, 20));
    let mut begun: Vec<(u32, u64)> = Vec::new();
    let mut frame = vec![0; FRAME + SIZE];
    let mut at = HEADER as u64;
    while log.read_exact_at(&mut frame, at).is_ok() {
        sum = add(sum, frame.get(..8).unwrap_or_default(), big);
        sum = add(sum, frame.get(FRAME..).unwrap_or_default(), big);
        let of = (word(&frame, 8), word(&frame, 12));
        let number = word(&frame, 0);
        if of != salts || (word(&frame, 16), word(&frame, 20)) != sum || number == 0 {
            break;
        }
        begun.push((number, at + FRAME as u64));
        let pages = word(&frame, 4);
        if pages != 0 {
            committed.extend(begun.drain(..));
            count = Some(pages);
        }
        at += (FRAME + SIZE) as u64;
    }
    (committed, count)
}

/// SQLite's sum of a log.
fn add((mut a, mut b): (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        let read = |at: usize| {
            let four = pair
                .get(at..at + 4)
                .and_then(|four| four.try_into().ok())
                .unwrap_or_default();
            if big {
                u32::from_be_bytes(four)
            } else {
                u32::from_le_bytes(four)
            }
        };
        a = a.wrapping_add(read(0)).wrapping_add(b);
        b = b.wrapping_add(read(4)).wrapping_add(a);
    }
    (a, b)
}

/// Four bytes, the most significant first; 0 beyond the end.
pub(super) fn word(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_be_bytes)
}
