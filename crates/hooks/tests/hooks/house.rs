//! A configuration in a folder of its own, its hooks running, and what became of events.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use dalsegno_config::{Config, Hook, Layers, Migration};
use dalsegno_hooks::{Hooks, Options, Outcome, Retry};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than anything here takes; only what hangs meets it.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct House {
    dir: TempDir,
}

pub(crate) struct Started {
    pub(crate) hooks: Hooks,
    outcomes: Receiver<Outcome>,
}

impl House {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A path in the folder that commands run in.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir
            .path()
            .canonicalize()
            .unwrap()
            .join("dalsegno")
            .join(name)
    }

    pub(crate) fn hooks(&self, text: &str) -> Vec<Hook> {
        self.load(text).hooks
    }

    pub(crate) fn migrations(&self, text: &str) -> Vec<Migration> {
        self.load(text).migrations
    }

    fn load(&self, text: &str) -> Config {
        std::fs::create_dir_all(self.path("")).unwrap();
        std::fs::write(self.path("config.toml"), text).unwrap();
        let layers = Layers {
            config_home: Some(self.dir.path().to_owned()),
            ..Layers::default()
        };
        let loaded = Config::load(&layers).unwrap();
        assert_eq!(loaded.left_out, []);
        loaded.config
    }

    /// Starts hooks that try again at once.
    pub(crate) fn start(&self, text: &str) -> Started {
        self.start_with(text, quick())
    }

    pub(crate) fn start_with(&self, text: &str, options: Options) -> Started {
        let (tell, outcomes) = mpsc::channel();
        let tell = std::sync::Mutex::new(tell);
        let report = move |outcome| drop(tell.lock().unwrap().send(outcome));
        let hooks = options.start(self.hooks(text), report).unwrap();
        Started { hooks, outcomes }
    }

    /// The words of a command that runs `script` in a shell.
    pub(crate) fn shell(script: &str) -> String {
        let script = Value::from(script);
        format!("[[hook]]\nevents = ['*']\ncommand = ['sh', '-c', {script}]\n")
    }
}

/// Options that wait only a moment between attempts.
pub(crate) fn quick() -> Options {
    let moment = Duration::from_millis(1);
    Options::default().retry(Retry {
        attempts: 4,
        first: moment,
        longest: moment,
    })
}

impl Started {
    pub(crate) fn send(&self, id: &str) {
        self.hooks.send(&event(id));
    }

    #[track_caller]
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcomes.recv_timeout(LONG).unwrap()
    }

    /// All that is told until everything is delivered.
    pub(crate) fn finish(self) -> Vec<Outcome> {
        assert_eq!(self.hooks.close(LONG), 0);
        self.outcomes.iter().collect()
    }
}

pub(crate) fn event(id: &str) -> Value {
    json!({"id": id, "at": "2026-11-21T09:00:00Z", "event": "restored", "session": "bot/42", "actor": "ada",
        "snapshot": "01a1fb85-bafe-7126-bc18-b0d0e1cb9f81", "label": "the secret talk"})
}
