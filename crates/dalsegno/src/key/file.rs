//! Secrets in files, which only those who are meant can read.

use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// No secret is longer; a file that is, is something else.
const MAX_LEN: usize = 4096;

/// The text of a file that holds a secret; `what` names that.
///
/// # Errors
/// `NotFound`, `Denied` or `Storage` as the file cannot be read; `InvalidInput` where it is none, or may be read by
/// others than its owner and group.
pub(crate) fn read(path: &Path, what: &str) -> Result<Zeroizing<String>> {
    let shown = path.display();
    let failed = |e| Error::io(format!("reading the {what} in {shown}"), e);
    let file = std::fs::File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.is_file() && others_may_read(&about) {
        return Err(Error::invalid(format!(
            "everybody on this machine can read the {what} in {shown}: make it private (chmod 600)"
        )));
    }
    // As large as it gets: what is moved leaves nothing behind.
    let mut text = Zeroizing::new(String::with_capacity(MAX_LEN + 1));
    let mut limited = std::io::Read::take(file, MAX_LEN as u64 + 1);
    std::io::Read::read_to_string(&mut limited, &mut text).map_err(|e| match e.kind() {
        std::io::ErrorKind::InvalidData => {
            Error::invalid(format!("{shown} holds no {what}: it is not text"))
        }
        _ => failed(e),
    })?;
    if text.len() > MAX_LEN {
        return Err(Error::invalid(format!(
            "{shown} is too long to hold a {what}"
        )));
    }
    Ok(text)
}

fn others_may_read(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o004 != 0
}
