//! The options that every verb has.

use std::path::PathBuf;

use clap::Args;

/// The options of every verb.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The store: a file, or a folder that holds store.db
    ///
    /// Without it, the environment's DALSEGNO_STORE, else what the project's dalsegno.toml says, else
    /// .dalsegno/ here if it holds a store, else what the user's configuration says, else dalsegno/ in the
    /// user's data folder. Only `init` and `demo` make one.
    #[arg(long, global = true, value_name = "PATH", display_order = 99)]
    pub(crate) store: Option<PathBuf>,
    /// The file with the key or passphrase of an encrypted store
    ///
    /// Without it, the environment's DALSEGNO_KEY_FILE (a path), else its DALSEGNO_KEY (the key or passphrase itself),
    /// else DALSEGNO_KEY_COMMAND (a command that prints it), else what the configuration says, else you are asked where
    /// you are at a terminal.
    #[arg(long, global = true, value_name = "PATH", display_order = 100)]
    pub(crate) key_file: Option<PathBuf>,
    /// The file with the token that says who you are, for a store that asks
    ///
    /// Without it, the environment's DALSEGNO_TOKEN_FILE (a path), else its DALSEGNO_TOKEN (the token itself), else
    /// `token_file` of `[access]` in the configuration.
    #[arg(long, global = true, value_name = "FILE", display_order = 101)]
    pub(crate) token_file: Option<PathBuf>,
    /// Print JSON: sizes in bytes, times in UTC
    #[arg(long, global = true, display_order = 102)]
    pub(crate) json: bool,
}
