//! Where the demo works: a new folder with a store and a player's file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use dalsegno::clock::Clock;
use dalsegno::{Engine, Options};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::{key, program, settings};

/// The places of a demo.
pub(super) struct House {
    /// The store, as it can be given to `--store`.
    pub(super) store: PathBuf,
    /// The store's file.
    file: PathBuf,
    /// The file in which the bot keeps its player.
    pub(super) player: PathBuf,
}

impl House {
    /// A new folder among the temporary ones, or where --store says.
    pub(super) fn build(global: &Global) -> Result<Self> {
        let store = match &global.store {
            // The store is made there, and refused if there is one.
            Some(store) => store.clone(),
            None => tempfile::Builder::new()
                .prefix("dalsegno-demo-")
                .permissions(fs::Permissions::from_mode(0o700))
                .disable_cleanup(true)
                .tempdir()
                .map_err(|e| Failure::io("making a temporary folder", e))?
                .path()
                .to_owned(),
        };
        let engine = key::create(Options::default(), &store)?;
        let file = engine.path().unwrap_or_else(|| store.clone());
        engine.close()?;
        let player = file.with_file_name("player.json");
        // With --store the folder may be somebody's, and so may the file.
        fs::File::create_new(&player)
            .map_err(|e| Failure::io(format!("making {}", player.display()), e))?;
        Ok(Self {
            player,
            store: fs::canonicalize(&store).unwrap_or(store),
            file,
        })
    }

    /// The store, under the clock of the machine.
    pub(super) fn open(&self) -> Result<Engine> {
        Ok(key::open(Options::default(), &self.store)??)
    }

    /// The store, under another clock.
    pub(super) fn open_at(&self, clock: Arc<dyn Clock>) -> Result<Engine> {
        Ok(key::open(Options::default().clock(clock), &self.store)??)
    }

    /// Bytes of all files of the store, which is closed.
    pub(super) fn bytes(&self) -> u64 {
        let size = |end: &str| {
            let mut name = self.file.clone().into_os_string();
            name.push(end);
            fs::metadata(PathBuf::from(name)).map_or(0, |m| m.len())
        };
        ["", "-wal", "-shm"].into_iter().map(size).sum()
    }

    /// Commands to try on the store, as they can be typed.
    pub(super) fn commands(&self, old: &str) -> [String; 3] {
        let store = program::path(&self.store);
        let command = |words: &[&str]| {
            let words = words.iter().copied().chain(["--store", &store]);
            program::command(
                words
                    .map(str::to_owned)
                    .chain(settings::opening_words().flatten()),
            )
        };
        [
            command(&["snapshot", "list", "bot/jazz-club", "--limit", "5"]),
            command(&["snapshot", "show", old, "--component", "player", "--pretty"]),
            command(&["verify"]),
        ]
    }
}
