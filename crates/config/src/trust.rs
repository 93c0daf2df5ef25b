//! Which files of projects may name commands and addresses: those that the user trusted, as long as
//! their content is the same.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use dalsegno::{Error, ErrorKind, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hook::Hook;
use crate::key::{self, KeySource};
use crate::layers::Layers;
use crate::load::{hooks_of, migrations_of};
use crate::migration::Migration;
use crate::origin::Origin;
use crate::parse::parse;
use crate::source::Source;

/// The files that are trusted, as they are remembered.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    kept: Kept,
}

/// What stands in `trusted.json`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// By path, symbolic links followed.
    files: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    sha256: String,
    at: Timestamp,
}

/// How a file that is trusted stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it was trusted.
    Same,
    /// Changed since: it is not trusted any more.
    Changed,
    /// Gone, or not to be read.
    Missing,
}

/// A file that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Trusted {
    /// Where it is, symbolic links followed.
    pub file: PathBuf,
    /// SHA-256 of the content that is trusted, in hexadecimal.
    pub sha256: String,
    /// When it was trusted.
    pub at: Timestamp,
    /// How it stands now.
    pub state: State,
}

/// A file about to be trusted, read once: what [`hooks`](Self::hooks), [`migrations`](Self::migrations) and [`key_command`](Self::key_command) show is what [`accept`](Self::accept)
/// trusts, whatever happens to the file between.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trusting {
    /// Where it is, symbolic links followed.
    pub file: PathBuf,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// What it would run and post to.
    pub hooks: Vec<Hook>,
    /// What it would run to migrate states.
    pub migrations: Vec<Migration>,
    /// What it would have a shell run for the key.
    pub key_command: Option<String>,
    /// Whether it is trusted already, as it is.
    pub already: bool,
    kept_in: PathBuf,
}

impl Trust {
    /// Reads which files are trusted; without a file, none is.
    ///
    /// # Errors
    /// `Denied` where others could have written the file; `Damaged` where it is not what was written;
    /// `Storage` or `Denied` as the disk answers. Then nothing is trusted.
    pub fn read(layers: &Layers) -> Result<Self> {
        layers
            .trust_file()
            .map_or_else(|| Ok(Self::default()), |path| Self::read_from(&path))
    }

    fn read_from(path: &Path) -> Result<Self> {
        let Some(source) = Source::read(path)? else {
            return Ok(Self::default());
        };
        let shown = path.display();
        if let Some(exposure) = source.exposure {
            let remedy = exposure.remedy(&source.file);
            let message = format!("{shown} {exposure}, so that nothing is trusted: {remedy}");
            return Err(Error::new(ErrorKind::Denied, message));
        }
        let kept = serde_json::from_str(&source.text).map_err(|e| {
            let message = format!(
                "{shown} is damaged, so that nothing is trusted: remove it, and trust the files again: {e}"
            );
            Error::new(ErrorKind::Damaged, message)
        })?;
        Ok(Self { kept })
    }

    /// All files that are trusted, and how they stand now.
    #[must_use]
    pub fn list(&self) -> Vec<Trusted> {
        let files = self.kept.files.iter();
        files
            .map(|(file, entry)| {
                let state = match Source::read(Path::new(file)) {
                    Ok(Some(source)) if self.knows(&source) => State::Same,
                    Ok(Some(_)) => State::Changed,
                    Ok(None) | Err(_) => State::Missing,
                };
                Trusted {
                    file: file.into(),
                    sha256: entry.sha256.clone(),
                    at: entry.at,
                    state,
                }
            })
            .collect()
    }

    /// Whether a file is trusted as it was read.
    pub(crate) fn knows(&self, source: &Source) -> bool {
        self.entry(source)
            .is_some_and(|entry| entry.sha256 == source.sha256())
    }

    /// Whether a file was trusted with another content.
    pub(crate) fn knew(&self, source: &Source) -> bool {
        self.entry(source).is_some() && !self.knows(source)
    }

    fn entry(&self, source: &Source) -> Option<&Entry> {
        self.kept.files.get(source.file.to_str()?)
    }

    /// Reads the file at `path`, to see what trusting it would allow. Nothing is changed.
    ///
    /// # Errors
    /// `NotFound` where nothing is there; `InvalidInput` where it is no configuration, or its path is no
    /// UTF-8; `Denied` where others could have written it, or there is no place to remember it.
    pub fn look(layers: &Layers, path: &Path) -> Result<Trusting> {
        let shown = path.display();
        let source = Source::read(path)?
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no file {shown}")))?;
        if let Some(exposure) = source.exposure {
            let remedy = exposure.remedy(&source.file);
            let message =
                format!("{shown} {exposure}: what it says may change at any time; {remedy}");
            return Err(Error::new(ErrorKind::Denied, message));
        }
        if source.file.to_str().is_none() {
            let message = format!("{shown}: its path is not UTF-8; rename its folders");
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let values = parse(&source)?;
        let hooks = hooks_of(&source, &values, |file, line| Origin::Project {
            file,
            line,
        })?;
        let migrations = migrations_of(&source, &values, |file, line| Origin::Project {
            file,
            line,
        })?;
        let key = key::of_file(layers, &source, &values)?;
        let key_command = key.and_then(|(key, _)| match key {
            KeySource::Command { line, .. } => Some(line),
            _ => None,
        });
        Ok(Trusting {
            key_command,
            sha256: source.sha256(),
            already: Self::read(layers)?.knows(&source),
            file: source.file,
            hooks,
            migrations,
            kept_in: kept_in(layers)?,
        })
    }

    /// Trusts no longer what is remembered of `path`, and says whether anything was.
    ///
    /// # Errors
    /// As [`read`](Self::read); `Denied` or `Storage` where it cannot be written.
    pub fn remove(layers: &Layers, path: &Path, dry_run: bool) -> Result<bool> {
        let kept_in = kept_in(layers)?;
        // Of a file that is gone, its folder may still be there; where not, it is named as it was.
        let file = path.canonicalize().ok().or_else(|| {
            let folder = dalsegno::durable::folder_of(path).canonicalize().ok()?;
            Some(folder.join(path.file_name()?))
        });
        let file = file.unwrap_or_else(|| path.to_owned());
        let file = file.to_string_lossy().into_owned();
        if dry_run {
            return Ok(Self::read(layers)?.kept.files.contains_key(&file));
        }
        change(&kept_in, |kept| kept.files.remove(&file).is_some())
    }
}

impl Trusting {
    /// Trusts the file, with the content that was read.
    ///
    /// # Errors
    /// `Denied` or `Storage` where it cannot be remembered; `Damaged` where what is remembered is.
    pub fn accept(&self) -> Result<()> {
        let file = self.file.to_string_lossy().into_owned();
        let entry = Entry {
            sha256: self.sha256.clone(),
            at: Timestamp::now(),
        };
        change(&self.kept_in, |kept| {
            kept.files.insert(file, entry);
            true
        })?;
        Ok(())
    }
}

fn kept_in(layers: &Layers) -> Result<PathBuf> {
    layers.trust_file().ok_or_else(|| {
        let message =
            "there is no home folder to remember trusted files in: set HOME or XDG_STATE_HOME";
        Error::new(ErrorKind::Denied, message)
    })
}

/// Changes what is remembered, one process after the other; says whether anything was changed.
fn change(path: &Path, how: impl FnOnce(&mut Kept) -> bool) -> Result<bool> {
    let folder = dalsegno::durable::folder_of(path);
    let failed = |e| Error::io(format!("using {}", folder.display()), e);
    let mut make = DirBuilder::new();
    make.recursive(true).mode(0o700);
    make.create(&folder).map_err(failed)?;
    let lock = File::open(&folder).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let Trust { mut kept } = Trust::read_from(path)?;
    if !how(&mut kept) {
        return Ok(false);
    }
    dalsegno::write_private(path, |out| {
        serde_json::to_writer_pretty(&mut *out, &kept)
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .map_err(|e| Error::io(format!("writing {}", path.display()), e))
    })?;
    Ok(true)
}
