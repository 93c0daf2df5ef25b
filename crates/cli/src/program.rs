//! What this program is called, and how to call it again, for the commands that it prints.

use std::path::Path;
use std::sync::OnceLock;

static NAME: OnceLock<&str> = OnceLock::new();

/// From now on it is called so.
pub(crate) fn called(name: &'static str) {
    // The first name stays.
    NAME.get_or_init(|| name);
}

/// What it is called.
pub(crate) fn name() -> &'static str {
    NAME.get().copied().unwrap_or("dalsegno")
}

/// The words that start `program`, which stands where this one does, as the user could type them.
fn words(program: &str) -> Vec<String> {
    // Cargo says so to what it runs, and only to that.
    if std::env::var_os("CARGO_MANIFEST_DIR").is_some() && std::env::var_os("CARGO").is_some() {
        let release = if cfg!(debug_assertions) {
            &[][..]
        } else {
            &["--release"]
        };
        let other = if program == "dalsegno" {
            &[][..]
        } else {
            &["--bin", program]
        };
        let words = ["cargo", "run"].iter().chain(release).chain(other);
        let words = words.chain(&["--"]);
        return words.map(|word| (*word).to_owned()).collect();
    }
    let called = std::env::args().next().filter(|name| name.contains('/'));
    let beside = |called: String| path(&Path::new(&called).with_file_name(program));
    vec![called.map_or_else(|| program.to_owned(), beside)]
}

/// A command of this program as one line for a shell.
pub(crate) fn command<I: IntoIterator<Item = S>, S: Into<String>>(arguments: I) -> String {
    command_of(name(), arguments)
}

/// A command of `program` as one line for a shell.
pub(crate) fn command_of<I: IntoIterator<Item = S>, S: Into<String>>(
    program: &str,
    arguments: I,
) -> String {
    let mut words = words(program);
    words.extend(arguments.into_iter().map(Into::into));
    let quoted: Vec<_> = words.iter().map(|word| quote(word)).collect();
    quoted.join(" ")
}

/// A path as an argument.
pub(crate) fn path(path: &Path) -> String {
    path.display().to_string()
}

/// A word as a shell reads it.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}
