//! A program and its arguments, as a file names them: no shell looks at them.

use std::path::{Path, PathBuf};

use dalsegno::{Error, ErrorKind, Result};

/// Checks that the words of a command can be run.
///
/// # Errors
/// `InvalidInput`: the message says what to write.
pub(crate) fn check(words: &[String]) -> Result<()> {
    let wrong = |message| Err(Error::new(ErrorKind::InvalidInput, message));
    if words.first().is_none_or(String::is_empty) {
        return wrong("command is empty: write the program and its arguments, each as a text");
    }
    if words.iter().any(|word| word.contains('\0')) {
        return wrong("a word of the command has a zero character");
    }
    Ok(())
}

/// The program of a command: in `folder` where it is named by a relative path, else by the search path.
pub(crate) fn program(words: &[String], folder: &Path) -> Option<PathBuf> {
    let name = words.first()?;
    Some(if name.contains('/') {
        folder.join(name)
    } else {
        name.into()
    })
}
