//! Signatures, so that a receiver knows who posted and when.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;

use dalsegno_config::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// No secret is longer than this.
const MAX: u64 = 64 << 10;

/// The value of `Dalsegno-Signature`: `t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>", in
/// hexadecimal>`.
///
/// A receiver computes it anew from `t`, the body as it came and the secret, compares both without
/// stopping at the first difference, and refuses what is older than some minutes.
///
/// ```
/// use dalsegno_hooks::signature;
///
/// assert_eq!(
///     signature(b"secret", 1_763_700_000, b"{}"),
///     "t=1763700000,v1=24c578b40f04a1a2ad9bef173d0588d14ee3e2d2bc8b193443749fa22ee350d2",
/// );
/// ```
#[must_use]
pub fn signature(secret: &[u8], at: i64, body: &[u8]) -> String {
    let mut signature = format!("t={at},v1=");
    // A key of any length will do.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) {
        mac.update(at.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        for byte in mac.finalize().into_bytes() {
            let _ = write!(signature, "{byte:02x}");
        }
    }
    signature
}

/// Reads a secret, anew for each delivery, so that it can be replaced while a program runs.
///
/// # Errors
/// Why there is none; it never says the secret.
pub(crate) fn read(secret: &Secret) -> Result<Vec<u8>, String> {
    let mut bytes = match secret {
        Secret::Env(name) => std::env::var_os(name)
            .map(std::ffi::OsString::into_encoded_bytes)
            .ok_or_else(|| format!("the variable {name} with the secret is not set"))?,
        Secret::File(file) => {
            let shown = file.display();
            let failed = |e| format!("reading the secret in {shown}: {e}");
            // What is no file might never end.
            if !fs::metadata(file).map_err(failed)?.is_file() {
                return Err(format!("{shown} with the secret is no file"));
            }
            let opened = File::open(file).map_err(failed)?;
            let found = opened.metadata().map_err(failed)?;
            if found.mode() & 0o077 != 0 {
                return Err(format!(
                    "{shown} with the secret can be read by others: chmod 600 '{shown}'"
                ));
            }
            let mut bytes = Vec::new();
            opened.take(MAX).read_to_end(&mut bytes).map_err(failed)?;
            bytes
        }
    };
    let end = bytes.trim_ascii_end().len();
    bytes.truncate(end);
    if bytes.is_empty() {
        return Err("the secret is empty".to_owned());
    }
    Ok(bytes)
}
