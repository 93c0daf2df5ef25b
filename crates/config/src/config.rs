//! What holds, all layers taken together.

use std::path::PathBuf;

use dalsegno::{AutoSaving, Result};
use jiff::SignedDuration;

use crate::guard::Guard;
use crate::hook::Hook;
use crate::key::KeySource;
use crate::layers::Layers;
use crate::load::{self, Loaded};
use crate::migration::Migration;
use crate::origin::Setting;
use crate::token::TokenSource;

/// How often a session is saved by itself, where nothing else is said.
pub const AUTOSAVE_INTERVAL: SignedDuration = SignedDuration::from_mins(5);

/// How long a watched file has to stand still, where nothing else is said.
pub const WATCH_SETTLE: SignedDuration = SignedDuration::from_millis(500);

/// What holds, all layers taken together.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The store, if any layer names one.
    pub store: Option<Setting<PathBuf>>,
    /// Who is named in events, if any layer says so.
    pub actor: Option<Setting<String>>,
    /// Where the key of an encrypted store comes from, if any layer says so and may.
    pub key: Option<Setting<KeySource>>,
    /// Where the token comes from that says who asks, if any layer says so.
    pub token: Option<Setting<TokenSource>>,
    /// Saving by itself.
    pub autosave: Autosave,
    /// Watching files.
    pub watch: Watch,
    /// Lists that must not lose items. Of equal patterns the project's is here.
    pub guards: Vec<Setting<Guard>>,
    /// What is done on events: the user's first, then the project's, if that may name any.
    pub hooks: Vec<Hook>,
    /// How states of older schema versions become the current shape, of all files that may name commands.
    pub migrations: Vec<Migration>,
}

/// Saving by itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Autosave {
    /// How often.
    pub interval: Setting<SignedDuration>,
    /// By which part of itself that may vary: 0 (not at all) to 1.
    pub jitter: Setting<f64>,
    /// How many bytes have to differ from the state before; zero: any change counts.
    pub min_change: Setting<u64>,
}

impl Autosave {
    /// The same for [`Engine::auto_save`](dalsegno::Engine::auto_save), to be registered with a session.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use dalsegno::{Engine, State};
    /// use dalsegno_config::{Config, Flags, Layers};
    ///
    /// # let home = tempfile::tempdir().unwrap();
    /// # let engine = Arc::new(Engine::create(home.path().join("store.db"))?);
    /// let loaded = Config::load(&Layers::of_process(Flags::default()))?;
    /// let saving = engine.auto_save()?;
    /// saving.register("bot/42", loaded.config.autosave.how(), || Ok(Some(State::json("{}"))))?;
    /// # saving.stop()?;
    /// # Ok::<(), dalsegno::Error>(())
    /// ```
    #[must_use]
    pub fn how(&self) -> AutoSaving {
        // It was read as a time to come.
        let interval = self.interval.value.unsigned_abs();
        AutoSaving::every(interval)
            .jitter(self.jitter.value)
            .min_change(self.min_change.value)
    }
}

/// Watching files.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Watch {
    /// How long a file has to stand still.
    pub settle: Setting<SignedDuration>,
    /// Patterns of the files to watch; none: those that `watch` knows.
    pub include: Setting<Vec<String>>,
    /// Patterns of those not to.
    pub exclude: Setting<Vec<String>>,
}

impl Config {
    /// Asks all layers. Nothing is run, and nothing is written.
    ///
    /// ```
    /// use dalsegno_config::{Config, Flags, Layers};
    ///
    /// let layers = Layers::of_process(Flags::default());
    /// let loaded = Config::load(&layers)?;
    /// let settle = &loaded.config.watch.settle;
    /// println!("a file settles within {:?} (from {})", settle.value, settle.origin);
    /// for left_out in &loaded.left_out {
    ///     eprintln!("{left_out}");
    /// }
    /// # Ok::<(), dalsegno::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` where a file or a variable says something that cannot be, an unknown key among it: the
    /// message names the file, the line and what was probably meant. `Denied` or `Storage` where a file
    /// cannot be read, and `Denied` where the store, the key or the token would be that of a file which anybody could
    /// have written.
    pub fn load(layers: &Layers) -> Result<Loaded> {
        load::load(layers)
    }
}
