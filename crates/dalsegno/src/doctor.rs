//! A look at the store from outside: its file, its settings, its disk, and what is wrong with them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::codec::detail;
use crate::damage::only_damage;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::location;
use crate::model::{Action, Snapshot};
use crate::store::Scan;

/// What the doctor saw.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The store's file.
    pub path: PathBuf,
    /// The store's id, in hexadecimal.
    pub id: String,
    /// The version of the format.
    pub format: u32,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Whether it could only be opened for reading.
    pub read_only: bool,
    /// How many sessions it has.
    pub sessions: u64,
    /// How many snapshots.
    pub snapshots: u64,
    /// How many of them a [repair marked](crate::Repaired): they are not, or not all of them, as they were saved.
    pub repaired: u64,
    /// The newest snapshot; nothing where there is none, or it is damaged, which is a finding.
    pub newest: Option<Snapshot>,
    /// Bytes of the store's file and of what SQLite keeps beside it.
    pub bytes: u64,
    /// Bytes of them that hold nothing and can be given back.
    pub free_bytes: u64,
    /// Bytes free on the disk for this user.
    pub disk_free: u64,
    /// The permissions of the file and of its folder, in octal.
    pub modes: [String; 2],
    /// What a commit promises, in a sentence.
    pub durability: String,
    /// SQLite's settings as it reports them.
    pub settings: Vec<(String, String)>,
    /// What is wrong, and what can be done about it. Empty if nothing is.
    pub findings: Vec<Finding>,
}

/// Something wrong.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Warning,
    /// Something does not work, or is in danger.
    Problem,
}

/// Less free space than this is worth a warning.
const LITTLE_SPACE: u64 = 256 << 20;

impl Engine {
    /// Looks at the store's file, settings, disk and permissions. Reads no content; see
    /// [`verify`](Engine::verify) for that.
    ///
    /// # Errors
    /// `InvalidInput` where the store is not a file; `Damaged` or `Storage` where it cannot be read at all.
    pub fn doctor(&self) -> Result<Diagnosis> {
        self.allow(Action::Read, None)?;
        let sqlite = self
            .sqlite()
            .ok_or_else(|| Error::invalid("this store is not a file"))?;
        let path = sqlite.path().to_owned();
        let settings = sqlite.settings()?;
        let number = |name: &str| -> u64 {
            let found = settings.iter().find(|(known, _)| *known == name);
            found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
        };
        let free_bytes = number("freelist_count") * number("page_size");
        let (mut sessions, mut snapshots, mut repaired, mut newest) = (0, 0, 0, None);
        let view = self.view()?;
        view.sessions(&mut |_| {
            sessions += 1;
            std::ops::ControlFlow::Continue(())
        })?;
        let scan = Scan {
            newest_first: true,
            ..Scan::default()
        };
        view.snapshots(&scan, &mut |row| {
            snapshots += 1;
            // What cannot be read, `verify` names.
            let detail = detail::decode(&row.detail);
            repaired += u64::from(detail.is_ok_and(|it| it.repaired.is_some()));
            newest.get_or_insert(row);
            std::ops::ControlFlow::Continue(())
        })?;
        // What of it cannot be read is no reason to say nothing of the rest.
        let newest = newest.map(|row| self.describe(&*view, &row)).transpose();
        let (newest, damage) = match newest {
            Ok(newest) => (newest, None),
            Err(error) => (None, Some(only_damage(error)?)),
        };
        drop(view);
        let folder = crate::durable::folder_of(&path);
        let mode = |path: &Path| fs::metadata(path).map_or(0, |m| m.mode() & 0o7777);
        let (file_mode, folder_mode) = (mode(&path), mode(&folder));
        let disk = rustix::fs::statvfs(&folder)
            .map_err(|e| Error::io(format!("asking the disk of {}", folder.display()), e.into()))?;
        let disk_free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let full = number("synchronous") >= 2 && settings.iter().any(|s| s.1 == "wal");
        let mut diagnosis = Diagnosis {
            id: sqlite_id(&self.store().info().id),
            format: self.store().info().format,
            encrypted: sqlite.is_encrypted(),
            read_only: sqlite.is_read_only(),
            sessions,
            snapshots,
            repaired,
            newest,
            bytes: location::bytes(&path, &["", "-wal", "-shm"]),
            free_bytes,
            disk_free,
            modes: [format!("{file_mode:04o}"), format!("{folder_mode:04o}")],
            durability: if full {
                "a snapshot that was acknowledged survives the end of the program, a crash of the \
                 machine and a power loss, if the disk keeps what it says it synced"
            } else {
                "not promised: SQLite is not set to WAL with synchronous=FULL or EXTRA"
            }
            .to_owned(),
            settings: settings
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            findings: Vec::new(),
            path,
        };
        diagnosis.look(file_mode, folder_mode, full);
        if let Some(damage) = damage {
            let message = format!("the newest snapshot cannot be shown: {damage}");
            let remedy = "`verify` names all that is damaged".to_owned();
            diagnosis.find(Severity::Problem, message, remedy);
        }
        if self.has_left()? {
            let message = "encryption was turned on or off, or a key or session taken away: what stood there before may \
                           still be found in the store's files";
            let remedy = "`key wipe` writes them anew".to_owned();
            diagnosis.find(Severity::Warning, message.to_owned(), remedy);
        }
        Ok(diagnosis)
    }
}

impl Diagnosis {
    fn look(&mut self, file_mode: u32, folder_mode: u32, full: bool) {
        let path = self.path.display().to_string();
        if file_mode & 0o077 != 0 {
            let message = format!("others than the owner may use the store (mode {file_mode:04o})");
            self.find(Severity::Warning, message, format!("chmod 600 '{path}'"));
        }
        if folder_mode & 0o022 != 0 {
            let message = format!(
                "others than the owner may write in the store's folder ({folder_mode:04o})"
            );
            let remedy = "keep the store in a folder of its own: chmod go-w".to_owned();
            self.find(Severity::Warning, message, remedy);
        }
        if self.read_only {
            let message = "the store can only be read: nothing can be saved".to_owned();
            let remedy =
                "check the permissions of the file and its folder, and the mount".to_owned();
            self.find(Severity::Problem, message, remedy);
        } else if !full {
            let message = "SQLite is not set to survive a power loss".to_owned();
            self.find(
                Severity::Problem,
                message,
                "report this as a bug".to_owned(),
            );
        }
        let low = self.disk_free < LITTLE_SPACE || self.disk_free < self.bytes;
        if low {
            let message = format!("the disk has only {} bytes free", self.disk_free);
            self.find(
                Severity::Warning,
                message,
                "free some space: saves fail when it ends".to_owned(),
            );
        }
    }

    fn find(&mut self, severity: Severity, message: String, remedy: String) {
        self.findings.push(Finding {
            severity,
            message,
            remedy,
        });
    }
}

fn sqlite_id(id: &[u8; 16]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
