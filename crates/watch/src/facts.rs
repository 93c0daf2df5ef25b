//! What tells one state of a file from another without reading it.

use std::fmt;

use rustix::fs::Stat;
use serde_json::{Map, Value, json};

/// A moment as a file system tells it: seconds since 1970 and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileTime {
    seconds: i64,
    nanoseconds: u32,
}

impl FileTime {
    fn of(seconds: i64, nanoseconds: impl TryInto<u32>) -> Self {
        Self {
            seconds,
            nanoseconds: nanoseconds.try_into().unwrap_or(0),
        }
    }

    #[cfg(test)]
    pub(crate) fn for_tests(seconds: u64) -> Self {
        Self::of(i64::try_from(seconds).unwrap(), 0)
    }

    /// In nanoseconds since 1970.
    pub(crate) fn nanoseconds(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds)
    }
}

impl fmt::Display for FileTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.seconds, self.nanoseconds)
    }
}

/// Size, times and inode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) size: u64,
    pub(crate) inode: u64,
    /// When its content was written, as far as programs leave that alone.
    pub(crate) modified: FileTime,
    /// When anything of it changed, its name and mode included. No program can set it, so that a content
    /// that was changed behind an unchanged `modified` is noticed all the same.
    pub(crate) changed: FileTime,
}

impl Facts {
    #[allow(
        clippy::useless_conversion,
        reason = "the fields have other widths elsewhere"
    )]
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            inode: u64::from(stat.st_ino),
            modified: FileTime::of(stat.st_mtime.into(), stat.st_mtime_nsec),
            changed: FileTime::of(stat.st_ctime.into(), stat.st_ctime_nsec),
        }
    }

    #[cfg(test)]
    pub(crate) fn for_tests(size: u64, modified: FileTime, changed: FileTime) -> Self {
        Self {
            size,
            inode: 1,
            modified,
            changed,
        }
    }

    /// Whether the file stood still in between: a new mode or a second name is no new content.
    pub(crate) fn stood_still(&self, later: &Self) -> bool {
        self.is_renamed(later)
    }

    /// Whether that may be the same file under another name: a new name leaves all but `changed`.
    pub(crate) fn is_renamed(&self, other: &Self) -> bool {
        (self.size, self.inode, self.modified) == (other.size, other.inode, other.modified)
    }

    /// As a snapshot's metadata keeps them.
    pub(crate) fn write(&self, into: &mut Map<String, Value>) {
        into.insert("size".to_owned(), json!(self.size));
        into.insert("inode".to_owned(), json!(self.inode));
        into.insert("modified".to_owned(), json!(self.modified.to_string()));
        into.insert("changed".to_owned(), json!(self.changed.to_string()));
    }

    /// Those that [`write`](Self::write) kept, if they are all there.
    pub(crate) fn read(from: &Map<String, Value>) -> Option<Self> {
        let time = |name: &str| {
            let (seconds, nanoseconds) = from.get(name)?.as_str()?.split_once('.')?;
            Some(FileTime {
                seconds: seconds.parse().ok()?,
                nanoseconds: nanoseconds.parse().ok()?,
            })
        };
        Some(Self {
            size: from.get("size")?.as_u64()?,
            inode: from.get("inode")?.as_u64()?,
            modified: time("modified")?,
            changed: time("changed")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_from_metadata_and_a_new_mode_is_no_new_content() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let facts = |file| Facts::of(&rustix::fs::fstat(file).unwrap());
        let before = facts(file.as_file());
        let mut kept = Map::new();
        before.write(&mut kept);
        assert_eq!(Facts::read(&kept), Some(before));
        kept.shift_remove("changed");
        assert_eq!(Facts::read(&kept), None);
        let later = Facts {
            changed: FileTime::of(before.changed.seconds + 1, 0),
            ..before
        };
        assert!(later != before && before.stood_still(&later));
        let longer = Facts { size: 1, ..before };
        assert!(!before.stood_still(&longer));
    }
}
