//! Where to look, and in which order.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use crate::key::KEY;
use crate::token::TOKEN;

/// What a key is replaced with, which is nobody's business here.
const NEW_KEY: &str = "DALSEGNO_NEW_KEY";

/// The name of a project's file.
pub const PROJECT_FILE: &str = "dalsegno.toml";

/// The user's file, in the folder for configurations.
pub const USER_FILE: &str = "dalsegno/config.toml";

/// What options of a command say. What is left out is asked of the next layer.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// The store.
    pub store: Option<PathBuf>,
    /// The file of the key that opens the store.
    pub key_file: Option<PathBuf>,
    /// The file of the token that says who asks.
    pub token_file: Option<PathBuf>,
    /// Who is named in events.
    pub actor: Option<String>,
    /// How often to save by itself.
    pub interval: Option<SignedDuration>,
    /// By which part of itself that may vary: 0 to 1.
    pub jitter: Option<f64>,
    /// How many bytes have to differ.
    pub min_change: Option<u64>,
    /// How long a watched file has to stand still.
    pub settle: Option<SignedDuration>,
    /// Which files to watch.
    pub include: Option<Vec<String>>,
    /// Which not to.
    pub exclude: Option<Vec<String>>,
}

/// All that [`Config::load`](crate::Config::load) looks at, so that nothing else is asked.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// What options say.
    pub flags: Flags,
    /// The environment's variables whose names begin with `DALSEGNO_`; of the key and the token themselves
    /// only that they are there.
    pub variables: BTreeMap<String, OsString>,
    /// The project's file, where it is not searched for.
    pub file: Option<PathBuf>,
    /// Where the search for the project's file begins; no folder: there is none.
    pub working_folder: Option<PathBuf>,
    /// The user's home: the search does not leave it.
    pub home: Option<PathBuf>,
    /// The folder of configurations: that of the user's own file.
    pub config_home: Option<PathBuf>,
    /// The folder of what programs remember: that of the files that are trusted.
    pub state_home: Option<PathBuf>,
}

impl Layers {
    /// Those of this process, with what its options say. Where its working folder is gone, it has no project.
    #[must_use]
    pub fn of_process(flags: Flags) -> Self {
        let home = absolute("HOME");
        let below = |name: &str| home.as_ref().map(|home| home.join(name));
        Self {
            flags,
            file: None,
            variables: env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
                .filter(|(name, value)| name.starts_with("DALSEGNO_") && !value.is_empty())
                .filter(|(name, _)| name != NEW_KEY)
                .map(|(name, value)| match name == KEY || name == TOKEN {
                    true => (name, OsString::from("given")),
                    false => (name, value),
                })
                .collect(),
            working_folder: env::current_dir().ok(),
            config_home: absolute("XDG_CONFIG_HOME").or_else(|| below(".config")),
            state_home: absolute("XDG_STATE_HOME").or_else(|| below(".local/state")),
            home,
        }
    }

    /// The project's file: the nearest one from the working folder up, as far as the user's home or the root.
    #[must_use]
    pub fn project_file(&self) -> Option<PathBuf> {
        if let Some(file) = &self.file {
            return Some(file.clone());
        }
        let home = self.home.as_deref().map(real);
        for folder in real(self.working_folder.as_deref()?).ancestors() {
            let file = folder.join(PROJECT_FILE);
            // What is there but is no file is an error later, not passed over.
            if file.symlink_metadata().is_ok() {
                return Some(file);
            }
            if home.as_deref() == Some(folder) {
                break;
            }
        }
        None
    }

    /// Where the user's own file is, or would be.
    #[must_use]
    pub fn user_file(&self) -> Option<PathBuf> {
        self.config_home.as_ref().map(|home| home.join(USER_FILE))
    }

    /// Where the files that are trusted are remembered.
    #[must_use]
    pub fn trust_file(&self) -> Option<PathBuf> {
        let home = self.state_home.as_ref();
        home.map(|home| home.join("dalsegno/trusted.json"))
    }

    /// A path as the user wrote it: `~` is their home, and what is relative is so to `folder`.
    pub(crate) fn path(&self, written: &Path, folder: &Path) -> PathBuf {
        match (written.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => folder.join(written),
        }
    }
}

/// A folder that a variable names. The rules for these variables say that what is relative is passed over.
fn absolute(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os(variable)?);
    path.is_absolute().then_some(path)
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
