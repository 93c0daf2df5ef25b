//! `dalsegno backup timer`: prints units for systemd.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dalsegno::Error;
use dalsegno_config::Origin;
use dalsegno_watch::systemd::{HARDENED, percents, quote};
use serde_json::json;

use super::calendar;
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::Place;
use crate::{key, token};

/// Print a service and a timer of systemd that make backups, or try that they can be restored
///
/// With `--to` both files are written there; nothing is started. A drill that fails makes the service fail, which
/// `systemctl --failed` shows and `OnFailure=` can act on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno backup timer drill /mnt/backups
  sudo dalsegno --store /srv/bot/store.db backup timer create /mnt/backups --on-calendar hourly --to /etc/systemd/system")]
pub(crate) struct Timer {
    /// What is to be done
    #[arg(value_enum)]
    what: What,
    /// The folder of backups
    folder: PathBuf,
    /// When, as systemd writes it
    #[arg(long, value_name = "WHEN", default_value = "daily", value_parser = calendar::parse)]
    on_calendar: String,
    /// Write both units into this folder, where none of that name stands
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

/// What a timer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Makes a backup of what changed
    Create,
    /// Restores the newest backup into a scratch store and proves it
    Drill,
}

/// What a unit is made of.
struct Unit<'a> {
    command: &'a [String],
    folder: &'a Path,
    /// Files that it reads, besides.
    reads: &'a [PathBuf],
    writes: &'a [PathBuf],
    missing: &'a [Missing],
}

/// Something secret that has no file, so that the service cannot be told of it.
#[derive(Clone, Copy)]
struct Missing {
    what: &'static str,
    /// The variable that names the file.
    variable: &'static str,
}

const KEY: Missing = Missing {
    what: "a key",
    variable: "DALSEGNO_KEY_FILE",
};

const TOKEN: Missing = Missing {
    what: "a token",
    variable: "DALSEGNO_TOKEN_FILE",
};

/// Where programs put what is not to stay.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Drill => "drill",
        }
    }
}

impl Timer {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let folder = absolute(&self.folder)?;
        let program =
            std::env::current_exe().map_err(|e| Failure::io("finding this program", e))?;
        let mut command = vec![
            shown(&program),
            "backup".to_owned(),
            self.what.word().to_owned(),
        ];
        let mut writes = Vec::new();
        let is_encrypted;
        let mut asks_who = false;
        if self.what == What::Create {
            let engine = Place::open(global)?;
            let store = absolute(&engine.path().unwrap_or_default())?;
            is_encrypted = engine.is_encrypted();
            asks_who = engine.has_principals()?;
            command.extend([
                "--incremental".to_owned(),
                "--store".to_owned(),
                shown(&store),
            ]);
            writes.extend([folder.clone(), dalsegno::durable::folder_of(&store)]);
        } else if !folder.exists() {
            let shown = folder.display();
            return Err(Failure::new(
                dalsegno::ErrorKind::NotFound,
                format!("there is no folder {shown}"),
            ));
        } else {
            // Where nothing says so yet, whoever gives a key has a reason.
            let there =
                dalsegno::list_backups(&folder).map_or_else(|_| Vec::new(), |it| it.complete);
            is_encrypted = if there.is_empty() {
                key::given()?.is_some()
            } else {
                there.iter().any(|backup| backup.encrypted)
            };
        }
        let mut reads = vec![program];
        let mut missing = Vec::new();
        let given = key::given()?;
        if let Some(file) = given.as_ref().and_then(key::Given::file) {
            let file = absolute(file)?;
            command.extend(["--key-file".to_owned(), shown(&file)]);
            reads.push(file);
        } else if is_encrypted && !is_of_user(given.as_ref()) {
            missing.push(KEY);
        }
        let given = token::given()?;
        if let Some(file) = given.as_ref().and_then(token::Given::file) {
            let file = absolute(file)?;
            command.extend(["--token-file".to_owned(), shown(&file)]);
            reads.push(file);
        } else if asks_who {
            missing.push(TOKEN);
        }
        command.extend(["--".to_owned(), shown(&folder)]);
        let unit = Unit {
            command: &command,
            folder: &folder,
            reads: &reads,
            writes: &writes,
            missing: &missing,
        };
        let (service, timer) = (self.service(&unit), self.timer());
        let name = format!("dalsegno-backup-{}", self.what.word());
        for Missing { what, variable } in &missing {
            out.note(format!(
                "the service needs {what}, and nothing of the environment here goes into it: write the file's path behind {variable}= in \
                 {name}.service, or name the file here"
            ));
        }
        let Some(to) = &self.to else {
            if out.is_json() {
                return out.json(&json!({"service": service, "timer": timer}));
            }
            out.line(format!("# {name}.service"))?;
            out.line(service)?;
            out.line(format!("# {name}.timer"))?;
            return out.bytes(timer.as_bytes());
        };
        let files = [
            (to.join(format!("{name}.service")), service),
            (to.join(format!("{name}.timer")), timer),
        ];
        for (path, _) in &files {
            if path.exists() {
                let shown = path.display();
                return Err(Failure::new(
                    dalsegno::ErrorKind::Conflict,
                    format!("{shown} exists already; nothing was written"),
                ));
            }
        }
        for (path, text) in &files {
            dalsegno::write_private(path, |file: &mut dyn Write| {
                file.write_all(text.as_bytes())
                    .map_err(|e| Error::io(format!("writing {}", path.display()), e))
            })?;
        }
        out.did();
        if out.is_json() {
            let written: Vec<String> = files.iter().map(|(path, _)| shown(path)).collect();
            return out.json(&json!({"written": written}));
        }
        for (path, _) in &files {
            out.line(format!("wrote {}", human::safe(&shown(path))))?;
        }
        out.line(format!(
            "start it with `systemctl daemon-reload && systemctl enable --now {name}.timer`"
        ))
    }

    fn service(&self, unit: &Unit<'_>) -> String {
        let words: Vec<String> = unit.command.iter().map(|word| quote(word, true)).collect();
        let what = match self.what {
            What::Create => "makes a backup into",
            What::Drill => "tries to restore the newest backup in",
        };
        let mut lines = vec![
            "[Unit]".to_owned(),
            format!(
                "Description=Dalsegno {what} {}",
                percents(&shown(unit.folder))
            ),
            String::new(),
            "[Service]".to_owned(),
            "Type=oneshot".to_owned(),
            format!("User={}", rustix::process::geteuid().as_raw()),
            format!("ExecStart={}", words.join(" ")),
        ];
        for Missing { what, variable } in unit.missing {
            lines.push(format!(
                "# It needs {what}: the path of the file that has it."
            ));
            lines.push(format!("#Environment={variable}=/path/of/the/file"));
        }
        lines.extend([
            "UMask=0077".to_owned(),
            "Nice=10".to_owned(),
            "IOSchedulingClass=idle".to_owned(),
            "ProtectSystem=strict".to_owned(),
            "ProtectHome=read-only".to_owned(),
        ]);
        for path in unit.writes {
            lines.push(format!("ReadWritePaths={}", quote(&shown(path), false)));
        }
        let others = unit.reads.iter().chain(unit.writes).map(PathBuf::as_path);
        if others.chain([unit.folder]).any(is_temporary) {
            // Of a folder of its own it would see nothing that is there now. Scratch files go there all the same.
            lines.extend(TEMPORARY.map(|path| format!("ReadWritePaths={path}")));
        } else {
            lines.push("PrivateTmp=yes".to_owned());
        }
        lines.extend(HARDENED.iter().map(|line| (*line).to_owned()));
        lines.push(String::new());
        lines.join("\n")
    }

    fn timer(&self) -> String {
        let when = &self.on_calendar;
        format!(
            "[Unit]\nDescription=Dalsegno backups: {}\n\n[Timer]\nOnCalendar={when}\nPersistent=true\nRandomizedDelaySec=5min\n\n[Install]\nWantedBy=timers.target\n",
            self.what.word()
        )
    }
}

/// Whether it comes from the user's own configuration, which is the service's too.
fn is_of_user(given: Option<&key::Given>) -> bool {
    let source = given.and_then(|given| given.source.as_ref());
    source.is_some_and(|source| matches!(source.origin, Origin::User { .. }))
}

fn is_temporary(path: &Path) -> bool {
    // Where it leads to; the end of it may not be there yet.
    let real = path.ancestors().find_map(|it| it.canonicalize().ok());
    [Some(path), real.as_deref()]
        .into_iter()
        .flatten()
        .any(|path| TEMPORARY.iter().any(|it| path.starts_with(it)))
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| Failure::io(format!("finding {}", path.display()), e))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
