//! A watched folder: walking through it, and what its files are called.

use std::path::{Path, PathBuf};

use dalsegno::{Error, ErrorKind, Result};

use crate::name::session_name;
use crate::read::{Look, look};
use crate::selection::Selection;

/// A watched folder.
pub(crate) struct Folder {
    /// Whole, without symbolic links.
    pub(crate) path: PathBuf,
    /// What its sessions' names begin with.
    prefix: String,
}

impl Folder {
    /// The folders at `paths`. Where there are several, their own names come after the prefix.
    ///
    /// # Errors
    /// `NotFound` or `InvalidInput` where one is no folder; `InvalidInput` where one is named twice or within another,
    /// two have the same name, or the prefix can be no session's name.
    pub(crate) fn all(paths: &[PathBuf], prefix: &str) -> Result<Vec<Self>> {
        let refused = |message: String| Err(Error::new(ErrorKind::InvalidInput, message));
        if !prefix.is_empty() {
            dalsegno::check_session_name(prefix)?;
        }
        let mut folders: Vec<Self> = Vec::with_capacity(paths.len());
        for given in paths {
            let shown = given.display();
            let path = std::fs::canonicalize(given)
                .map_err(|e| Error::io(format!("watching {shown}"), e))?;
            if look(&path)? != Look::Folder {
                return refused(format!(
                    "{shown} is not a folder; give the folder that it is in"
                ));
            }
            let mut own = prefix.to_owned();
            if paths.len() > 1 {
                let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                    return refused(format!(
                        "{shown} has no name that sessions can be named after; watch it by itself"
                    ));
                };
                if !own.is_empty() {
                    own.push('/');
                }
                own.push_str(name);
            }
            for other in &folders {
                let there = other.path.display();
                if path == other.path {
                    return refused(format!("{there} is named twice; name it once"));
                }
                for (inner, outer) in [(&path, &other.path), (&other.path, &path)] {
                    if inner.starts_with(outer) {
                        return refused(format!(
                            "{} is within {}; watch only one of them",
                            inner.display(),
                            outer.display()
                        ));
                    }
                }
                if other.prefix == own {
                    return refused(format!(
                        "{} and {there} have the same name, which sessions are named after; watch each \
                         by itself, with its own --prefix",
                        path.display()
                    ));
                }
            }
            folders.push(Self { path, prefix: own });
        }
        if folders.is_empty() {
            return refused("there is no folder to watch".to_owned());
        }
        Ok(folders)
    }

    /// The session of the file at `relative`.
    pub(crate) fn session(&self, selection: &Selection, relative: &Path) -> Result<String> {
        session_name(selection, &self.prefix, relative)
    }
}

/// What a walk comes by.
pub(crate) enum Found {
    /// A folder, before what is in it.
    Folder(PathBuf),
    /// Something that has the name of a session file.
    File(PathBuf, Look),
    /// A folder that cannot be listed.
    Failed(PathBuf, Error),
}

/// Walks through `from`, which is below or is the watched folder `root`. What is hidden or excluded is not
/// entered, and neither are symbolic links.
pub(crate) fn walk(root: &Path, from: &Path, selection: &Selection, found: &mut dyn FnMut(Found)) {
    let mut left = vec![from.to_owned()];
    while let Some(folder) = left.pop() {
        found(Found::Folder(folder.clone()));
        let listing = match std::fs::read_dir(&folder) {
            Ok(listing) => listing,
            // It went meanwhile.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => {
                let error = Error::io(format!("listing {}", folder.display()), e);
                found(Found::Failed(folder, error));
                continue;
            }
        };
        for entry in listing {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => {
                    let error = Error::io(format!("listing {}", folder.display()), e);
                    found(Found::Failed(folder.clone(), error));
                    break;
                }
            };
            let path = entry.path();
            let Ok(relative) = path.strip_prefix(root) else {
                continue;
            };
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && selection.enters(relative) {
                left.push(path);
            } else if !is_folder && selection.takes(relative) {
                match look(&path) {
                    Ok(Look::Nothing) => {}
                    Ok(there) => found(Found::File(path, there)),
                    Err(error) => found(Found::Failed(path, error)),
                }
            }
        }
    }
}
