//! The bytes of one file: as everybody sees them, and as a power loss would leave them.

use crate::locks::Locks;
use crate::shm::Shm;

/// Names a file for as long as it lives: a path can be deleted and created again meanwhile.
pub(crate) type FileId = u64;

/// A change that has happened for everybody who reads, but has not been synced.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// These bytes at this offset; a gap before them reads as zeros.
    Write { offset: usize, data: Vec<u8> },
    /// The file has this length now; what is new reads as zeros.
    Resize { size: usize },
}

impl Change {
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::Write { offset, data } => write_at(bytes, *offset, data),
            Change::Resize { size } => bytes.resize(*size, 0),
        }
    }
}

/// Writes into `bytes`, which grow where needed.
pub(crate) fn write_at(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset.saturating_add(data.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(there) = bytes.get_mut(offset..end) {
        there.copy_from_slice(data);
    }
}

/// One file, with what its open handles share.
#[derive(Debug, Default)]
pub(crate) struct File {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
    /// Has no name, so nothing of it can outlive a power loss and nothing needs remembering.
    pub(crate) temporary: bool,
    /// SQLite syncs the directory after it has deleted a super-journal, and only the open says
    /// that a file is one.
    pub(crate) super_journal: bool,
    /// How many handles are open.
    pub(crate) handles: usize,
    pub(crate) locks: Locks,
    /// The WAL index, while somebody has it mapped.
    pub(crate) shm: Option<Shm>,
}

impl File {
    /// A file that has been on the disk for long.
    pub(crate) fn durable(bytes: Vec<u8>) -> Self {
        Self {
            live: bytes.clone(),
            durable: bytes,
            ..Self::default()
        }
    }

    pub(crate) fn live(&self) -> &[u8] {
        &self.live
    }

    pub(crate) fn durable_bytes(&self) -> &[u8] {
        &self.durable
    }

    pub(crate) fn pending(&self) -> &[Change] {
        &self.pending
    }

    /// Copies what there is at `offset` and returns its length.
    pub(crate) fn read(&self, offset: usize, into: &mut [u8]) -> usize {
        let there = self.live.get(offset..).unwrap_or_default();
        let len = there.len().min(into.len());
        into[..len].copy_from_slice(&there[..len]);
        len
    }

    pub(crate) fn change(&mut self, change: Change) {
        change.apply(&mut self.live);
        if !self.temporary {
            self.pending.push(change);
        }
    }

    /// Everything written so far is durable. Costs what was changed, not what is there.
    pub(crate) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_makes_the_live_bytes_durable() {
        let mut file = File::default();
        let write = |offset, data: &[u8]| Change::Write {
            offset,
            data: data.to_vec(),
        };
        file.change(write(3, b"abc"));
        assert_eq!(file.live(), b"\0\0\0abc");
        assert_eq!(file.durable_bytes(), b"");
        file.change(Change::Resize { size: 4 });
        file.change(Change::Resize { size: 5 });
        assert_eq!(file.pending().len(), 3);
        file.sync();
        assert_eq!(file.durable_bytes(), b"\0\0\0a\0");
        assert!(file.pending().is_empty());
        let mut into = [9; 4];
        assert_eq!(file.read(3, &mut into), 2);
        assert_eq!(into, [b'a', 0, 9, 9]);
        assert_eq!(file.read(30, &mut into), 0);
    }
}
