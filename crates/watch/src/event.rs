//! What a watch tells.

use std::path::{Path, PathBuf};

use dalsegno::{SnapshotId, Verb};
use serde::Serializer;

/// Something that a watch did or found.
///
/// As JSON, what is not UTF-8 of a path is `U+FFFD`: a watch does not end for the name of a file.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
#[non_exhaustive]
pub enum Event {
    /// The folders are watched; what changed while nobody watched is next.
    Watching {
        /// The folders.
        #[serde(serialize_with = "all_shown")]
        folders: Vec<PathBuf>,
        /// How many session files are in them.
        files: usize,
        /// How many of these are to be read, because they are not as they were kept.
        to_read: usize,
        /// How many sessions a watch left open that ended without a word, and are open here now.
        taken_over: usize,
    },
    /// A file's state was kept.
    Saved {
        /// The file.
        #[serde(serialize_with = "shown")]
        file: PathBuf,
        /// Its session.
        session: String,
        /// The snapshot.
        snapshot: SnapshotId,
        /// The bytes of the file.
        size: u64,
        /// The bytes its record took.
        stored_size: u64,
        /// The file had not settled; it was read all the same, because it never rests or because the watch ends.
        hasty: bool,
    },
    /// The state that was saved last of a file lost items without a word; the fuller one is kept.
    Shrunk {
        /// The file.
        #[serde(serialize_with = "shown")]
        file: PathBuf,
        /// Its session.
        session: String,
        /// The guard snapshot of the fuller state.
        snapshot: SnapshotId,
        /// What was lost, for people.
        lost: String,
    },
    /// A file's state would be kept; nothing was.
    WouldSave {
        /// The file.
        #[serde(serialize_with = "shown")]
        file: PathBuf,
        /// Its session.
        session: String,
        /// The bytes of the file.
        size: u64,
        /// Whether the session would be new.
        new: bool,
    },
    /// A file was written, and is what was kept already.
    Unchanged {
        /// The file.
        #[serde(serialize_with = "shown")]
        file: PathBuf,
        /// Its session.
        session: String,
        /// The snapshot that has it.
        snapshot: SnapshotId,
    },
    /// A file has what this program put back there; that is no change to keep.
    PutBack {
        /// The file.
        #[serde(serialize_with = "shown")]
        file: PathBuf,
        /// Its session.
        session: String,
        /// What was asked for.
        verb: Verb,
        /// The snapshot that was put back.
        snapshot: SnapshotId,
    },
    /// A file is no JSON: torn, emptied, overwritten with something else. Told once for each content.
    Torn {
        /// The file.
        #[serde(serialize_with = "shown")]
        file: PathBuf,
        /// Its session.
        session: String,
        /// What is wrong.
        message: String,
        /// The newest snapshot of the session.
        last_good: Option<SnapshotId>,
    },
    /// A file could not be read. It is tried again.
    Unreadable {
        /// The file.
        #[serde(serialize_with = "shown")]
        file: PathBuf,
        /// Its session.
        session: String,
        /// Why.
        message: String,
        /// The newest snapshot of the session.
        last_good: Option<SnapshotId>,
    },
    /// The store refused a state. It is tried again.
    NotSaved {
        /// The file.
        #[serde(serialize_with = "shown")]
        file: PathBuf,
        /// Its session.
        session: String,
        /// Why.
        message: String,
    },
    /// A file has another name now, and goes on as another session.
    Renamed {
        /// The file as it is called now.
        #[serde(serialize_with = "shown")]
        file: PathBuf,
        /// Its session.
        session: String,
        /// The session that it was.
        renamed_from: String,
    },
    /// A file is gone. Its session stays.
    Deleted {
        /// The file as it was called.
        #[serde(serialize_with = "shown")]
        file: PathBuf,
        /// Its session.
        session: String,
        /// The newest snapshot of the session.
        last: Option<SnapshotId>,
    },
    /// Something has the name of a session file and is not watched.
    Skipped {
        /// Where it is.
        #[serde(serialize_with = "shown")]
        file: PathBuf,
        /// Why.
        message: String,
    },
    /// The whole folder is looked at again: the system had more to tell than it could, or cannot tell.
    LookedAgain {
        /// Why.
        message: String,
    },
    /// The watch has ended.
    Ended {
        /// What it did.
        summary: Summary,
    },
}

/// What a watch did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Session files that are watched.
    pub files: usize,
    /// States that were kept, or would be.
    pub saved: u64,
    /// Files that were read and were what was kept.
    pub unchanged: u64,
    /// Times a file was found to be no JSON.
    pub torn: u64,
    /// Times a file could not be read or kept.
    pub failed: u64,
    /// What is not watched although it has the name of a session file.
    pub skipped: u64,
}

fn shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

fn all_shown<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_that_is_not_utf_8_is_told_all_the_same() {
        let path = PathBuf::from(OsStr::from_bytes(b"/in/caf\xe9.json"));
        let skipped = Event::Skipped {
            file: path.clone(),
            message: "m".to_owned(),
        };
        let told = json!({"event": "skipped", "file": "/in/caf\u{fffd}.json", "message": "m"});
        assert_eq!(serde_json::to_value(&skipped).unwrap(), told);
        let watching = Event::Watching {
            folders: vec![path, PathBuf::from("/é")],
            files: 0,
            to_read: 0,
            taken_over: 0,
        };
        let told = serde_json::to_value(&watching).unwrap();
        assert_eq!(told["folders"], json!(["/in/caf\u{fffd}.json", "/é"]));
    }
}
