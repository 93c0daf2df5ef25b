//! A file as it was read: its text, whose it is, and who else could have written it.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use dalsegno::{Error, ErrorKind, Result};
use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

/// No configuration is longer than this.
const MAX: u64 = 1 << 20;

/// Who else than the user could have written a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Exposure {
    /// Somebody else owns it.
    Foreign {
        /// The owner's number.
        owner: u32,
    },
    /// Others may write to it.
    Writable {
        /// Its mode.
        mode: u32,
    },
}

impl Exposure {
    fn of(metadata: &fs::Metadata) -> Option<Self> {
        let owner = metadata.uid();
        let mode = metadata.mode() & 0o7777;
        if owner != 0 && owner != rustix::process::geteuid().as_raw() {
            return Some(Self::Foreign { owner });
        }
        (mode & 0o022 != 0).then_some(Self::Writable { mode })
    }

    /// Whether anybody at all could have written it: a group may be the user's own.
    pub(crate) fn to_anybody(self) -> bool {
        match self {
            Self::Foreign { .. } => true,
            Self::Writable { mode } => mode & 0o002 != 0,
        }
    }

    pub(crate) fn remedy(self, file: &Path) -> String {
        let file = file.display();
        match self {
            Self::Foreign { .. } => {
                format!("make it yours, if you know what it says: chown $USER '{file}'")
            }
            Self::Writable { .. } => format!("chmod go-w '{file}'"),
        }
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign { owner } => write!(f, "belongs to somebody else (user {owner})"),
            Self::Writable { mode } => write!(f, "can be written by others (mode {mode:04o})"),
        }
    }
}

/// A file as it was read, once: all that is asked of it is answered from here.
#[derive(Debug)]
pub(crate) struct Source {
    /// Where it is, symbolic links followed.
    pub(crate) file: PathBuf,
    /// Where it was found.
    pub(crate) found: PathBuf,
    pub(crate) text: String,
    pub(crate) exposure: Option<Exposure>,
}

impl Source {
    /// Reads the file at `path`; none where nothing is there.
    ///
    /// # Errors
    /// `InvalidInput` where it is no regular file, no UTF-8 or too long; `Denied`, `NotFound` (a link that
    /// leads nowhere) or `Storage` as the disk answers.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        let failed = |e| Error::io(format!("reading {}", path.display()), e);
        let odd = |what: &str| {
            let message = format!("{}: {what}", path.display());
            Error::new(ErrorKind::InvalidInput, message)
        };
        match path.symlink_metadata() {
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(e) => return Err(failed(e)),
            Ok(_) => {}
        }
        let file = path.canonicalize().map_err(failed)?;
        // A pipe would be waited for, and what is asked is asked of what was opened.
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(&file)
            .map_err(failed)?;
        let metadata = opened.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(odd("a configuration is a regular file"));
        }
        let mut bytes = Vec::new();
        opened
            .take(MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() as u64 > MAX {
            return Err(odd("a configuration has at most 1 MiB"));
        }
        let text = String::from_utf8(bytes).map_err(|_| odd("it is not UTF-8"))?;
        Ok(Some(Self {
            file,
            found: path.to_owned(),
            text,
            exposure: Exposure::of(&metadata),
        }))
    }

    /// The folder it is in, symbolic links followed: what stands beside a link is not what was trusted.
    pub(crate) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    /// SHA-256 of its content, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        use fmt::Write as _;
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(self.text.as_bytes()) {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}
