//! What the tests share.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of sessions.
pub(crate) struct House {
    folder: TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// All names in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self.folder())
    }

    /// The contents of what was displaced from `name`, the oldest first.
    pub(crate) fn displaced(&self, name: &str) -> Vec<Vec<u8>> {
        let prefix = format!("{name}.displaced-");
        let all = self.names().into_iter();
        all.filter(|name| name.starts_with(&prefix))
            .map(|name| self.read(&name))
            .collect()
    }
}

/// All names in a folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A session with so many messages.
pub(crate) fn session(messages: usize) -> Vec<u8> {
    let messages: Vec<String> = (0..messages).map(|n| format!("message {n}")).collect();
    serde_json::to_vec(&serde_json::json!({"session_id": "1", "messages": messages})).unwrap()
}

/// Whether the tests run as root; some can only do their work then.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
