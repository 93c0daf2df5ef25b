//! What may stand in a file, key by key.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use crate::units::{Part, Size, Time};
use crate::watching::{FilePattern, Settle};
use dalsegno::guard::{End, GuardRule};

/// A whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Values {
    pub(crate) store: Option<Spanned<PathBuf>>,
    pub(crate) actor: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) key: KeyValues,
    #[serde(default)]
    pub(crate) access: AccessValues,
    #[serde(default)]
    pub(crate) autosave: AutosaveValues,
    #[serde(default)]
    pub(crate) watch: WatchValues,
    #[serde(default)]
    pub(crate) guard: BTreeMap<String, Spanned<GuardValues>>,
    #[serde(default)]
    pub(crate) hook: Vec<Spanned<HookValues>>,
    #[serde(default)]
    pub(crate) migration: Vec<Spanned<MigrationValues>>,
}

/// `[key]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyValues {
    pub(crate) file: Option<Spanned<PathBuf>>,
    pub(crate) command: Option<Spanned<String>>,
}

/// `[access]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessValues {
    pub(crate) token_file: Option<Spanned<PathBuf>>,
}

/// `[autosave]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutosaveValues {
    pub(crate) interval: Option<Spanned<Time>>,
    pub(crate) jitter: Option<Spanned<Part>>,
    pub(crate) min_change: Option<Spanned<Size>>,
}

/// `[watch]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WatchValues {
    pub(crate) settle: Option<Spanned<Settle>>,
    pub(crate) include: Option<Spanned<Vec<FilePattern>>>,
    pub(crate) exclude: Option<Spanned<Vec<FilePattern>>>,
}

/// `[guard."PATTERN"]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GuardValues {
    pub(crate) list: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) consumed: Option<End>,
    pub(crate) trimmed: Option<End>,
    pub(crate) bound: Option<u32>,
    pub(crate) lists: Option<Vec<GuardRule>>,
    pub(crate) generations: Option<u32>,
    pub(crate) max_age: Option<Time>,
}

/// `[[hook]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HookValues {
    pub(crate) events: Vec<String>,
    pub(crate) sessions: Option<String>,
    pub(crate) command: Option<Vec<String>>,
    pub(crate) webhook: Option<String>,
    pub(crate) secret_env: Option<String>,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) timeout: Option<Time>,
}

/// `[[migration]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MigrationValues {
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    pub(crate) sessions: Option<String>,
    pub(crate) command: Vec<String>,
    pub(crate) timeout: Option<Time>,
}
