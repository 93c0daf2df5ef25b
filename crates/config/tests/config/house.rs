//! A home with a project in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use dalsegno_config::{Config, Flags, Layers, Loaded};
use tempfile::TempDir;

pub(crate) struct House {
    dir: TempDir,
    /// What a test may change before it loads.
    pub(crate) layers: Layers,
}

impl House {
    /// `project/deep/deeper` below the home; the working folder is `project/deep`.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        fs::create_dir_all(home.join("project/deep/deeper")).unwrap();
        let layers = Layers {
            flags: Flags::default(),
            working_folder: Some(home.join("project/deep")),
            config_home: Some(home.join(".config")),
            state_home: Some(home.join(".state")),
            home: Some(home),
            ..Layers::default()
        };
        Self { dir, layers }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    /// Writes a file for its owner only, and gives its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        mode(&path, 0o600);
        path
    }

    pub(crate) fn project(&self, text: &str) -> PathBuf {
        self.write("project/dalsegno.toml", text)
    }

    pub(crate) fn user(&self, text: &str) -> PathBuf {
        self.write(".config/dalsegno/config.toml", text)
    }

    pub(crate) fn variable(&mut self, name: &str, value: &str) {
        self.layers.variables.insert(name.to_owned(), value.into());
    }

    #[track_caller]
    pub(crate) fn load(&self) -> Loaded {
        Config::load(&self.layers).unwrap()
    }

    #[track_caller]
    pub(crate) fn refused(&self) -> String {
        Config::load(&self.layers).unwrap_err().to_string()
    }
}

pub(crate) fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
