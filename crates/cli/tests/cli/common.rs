//! A folder with a store, and running the program in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_dalsegno");

/// A working directory of its own.
pub(crate) struct House {
    dir: TempDir,
}

impl House {
    /// With a store in `.dalsegno`.
    pub(crate) fn new() -> Self {
        let house = Self::empty();
        house.run(&["init"]).ok();
        house
    }

    /// With nothing in it.
    pub(crate) fn empty() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The file of the store that `init` makes here.
    pub(crate) fn store(&self) -> PathBuf {
        self.path(".dalsegno/store.db")
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The program, here, with nothing of the tester's own settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments);
        self.settle(&mut command);
        command
    }

    /// A shell, here, with `dalsegno` on its path.
    pub(crate) fn shell(&self, script: &str) -> Ran {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        self.settle(&mut command);
        let folder = Path::new(PROGRAM).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", folder.display()));
        Ran::of(command.stdin(Stdio::null()).output().unwrap())
    }

    pub(crate) fn settle(&self, command: &mut Command) {
        command
            .current_dir(self.dir.path())
            .env("HOME", self.dir.path())
            .env("TZ", "UTC");
        for variable in [
            "DALSEGNO_STORE",
            "DALSEGNO_KEY",
            "DALSEGNO_KEY_FILE",
            "DALSEGNO_KEY_COMMAND",
            "DALSEGNO_NEW_KEY",
            "DALSEGNO_TOKEN",
            "DALSEGNO_TOKEN_FILE",
            "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
            "XDG_STATE_HOME",
            "CARGO",
            "CARGO_MANIFEST_DIR",
            "NO_COLOR",
            "CLICOLOR_FORCE",
            "SONORA_APP",
            "SONORA_HOST",
            "SONORA_PORT",
            "SONORA_PASSWORD",
        ] {
            command.env_remove(variable);
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(
            self.command(arguments)
                .stdin(Stdio::null())
                .output()
                .unwrap(),
        )
    }

    /// Runs it with `bytes` piped into it.
    pub(crate) fn feed(&self, arguments: &[&str], bytes: &[u8]) -> Ran {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let bytes = bytes.to_vec();
        // Where it does not read to the end, the rest goes nowhere.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        Ran::of(output)
    }

    /// Saves `text` and gives the snapshot as JSON has it.
    pub(crate) fn save(&self, session: &str, text: &str) -> Value {
        self.feed(&["snapshot", "save", session, "--json"], text.as_bytes())
            .ok()
            .json()
    }

    /// Everything that is in the store, to compare before and after.
    pub(crate) fn contents(&self) -> String {
        self.run(&["snapshot", "list", "--json", "--limit", "10000"])
            .ok()
            .text()
    }

    /// The store's file, to compare before and after. While nobody has it open, all is in it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        assert_eq!(self.names(".dalsegno"), ["store.db"]);
        fs::read(self.store()).unwrap()
    }

    /// Saves `text` as if it were `ago` now, and gives the snapshot's id.
    pub(crate) fn save_ago(&self, session: &str, ago: SignedDuration, text: &str) -> String {
        let clock = Arc::new(Ago(ago));
        let options = dalsegno::Options::default().clock(clock);
        let engine = options.open(self.path(".dalsegno")).unwrap();
        let saved = engine.save_json(session, text.to_owned()).commit().unwrap();
        engine.close().unwrap();
        saved.id.to_string()
    }

    /// The names in a folder.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let names = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A clock that is behind.
struct Ago(SignedDuration);

impl dalsegno::clock::Clock for Ago {
    fn now(&self) -> Timestamp {
        Timestamp::now() - self.0
    }

    fn random(&self) -> [u8; 16] {
        [7; 16]
    }
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: output.stdout,
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It ended well and had nothing to complain of.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        assert!(!self.err.contains("dalsegno:"), "{self}");
        self
    }

    /// It ended with `code` and a message that says `part`, and printed nothing.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, part: &str) -> Self {
        assert!(self.out.is_empty(), "{self}");
        self.failed(code, part)
    }

    /// It ended with `code` and a message that says `part`.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, part: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        assert!(self.err.starts_with("dalsegno: "), "{self}");
        assert!(self.err.contains(part), "should say '{part}': {self}");
        assert!(!self.err.contains("panicked"), "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let text = self.text();
        assert_eq!(text.matches('\n').count(), 1, "one line: {self}");
        serde_json::from_str(&text).unwrap()
    }

    /// The error as `--json` gives it.
    #[track_caller]
    pub(crate) fn error(&self) -> (String, String) {
        let error: Value = serde_json::from_str(&self.err).unwrap();
        let text = |name: &str| error["error"][name].as_str().unwrap().to_owned();
        (text("kind"), text("message"))
    }

    #[track_caller]
    pub(crate) fn says(&self, part: &str) -> &Self {
        assert!(self.text().contains(part), "should say '{part}': {self}");
        self
    }

    /// As [`says`](Self::says), on standard error.
    #[track_caller]
    pub(crate) fn explains(&self, part: &str) -> &Self {
        assert!(self.err.contains(part), "should explain '{part}': {self}");
        self
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let out = String::from_utf8_lossy(&self.out);
        let shown: String = out.chars().take(2000).collect();
        write!(
            f,
            "exit {:?}\n--- out\n{shown}\n--- err\n{}",
            self.code, self.err
        )
    }
}

/// The id of a snapshot as JSON has it.
#[track_caller]
pub(crate) fn id(snapshot: &Value) -> &str {
    snapshot["id"].as_str().unwrap()
}

/// Whether this is the long run.
pub(crate) fn long() -> bool {
    std::env::var_os("DALSEGNO_LONG").is_some()
}

/// Says that a test was not made here, and why.
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
