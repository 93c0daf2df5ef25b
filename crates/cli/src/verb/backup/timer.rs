//! `dalsegno backup timer`: prints units for systemd.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dalsegno::Error;
use dalsegno_watch::systemd::{HARDENED, percents, quote};
use serde_json::json;

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
    #[arg(long, value_name = "WHEN", default_value = "daily")]
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
        if self.what == What::Create {
            let engine = Place::open(global)?;
            let store = absolute(&engine.path().unwrap_or_default())?;
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
        }
        if let Some(file) = key::given()?.as_ref().and_then(key::Given::file) {
            command.extend(["--key-file".to_owned(), shown(&absolute(file)?)]);
        }
        if let Some(file) = token::given()?.as_ref().and_then(token::Given::file) {
            command.extend(["--token-file".to_owned(), shown(&absolute(file)?)]);
        }
        command.extend(["--".to_owned(), shown(&folder)]);
        let (service, timer) = (self.service(&command, &folder, &writes), self.timer());
        let name = format!("dalsegno-backup-{}", self.what.word());
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

    fn service(&self, command: &[String], folder: &Path, writes: &[PathBuf]) -> String {
        let words: Vec<String> = command.iter().map(|word| quote(word, true)).collect();
        let what = match self.what {
            What::Create => "makes a backup into",
            What::Drill => "tries to restore the newest backup in",
        };
        let mut lines = vec![
            "[Unit]".to_owned(),
            format!("Description=Dalsegno {what} {}", percents(&shown(folder))),
            String::new(),
            "[Service]".to_owned(),
            "Type=oneshot".to_owned(),
            format!("User={}", rustix::process::geteuid().as_raw()),
            format!("ExecStart={}", words.join(" ")),
            "UMask=0077".to_owned(),
            "Nice=10".to_owned(),
            "IOSchedulingClass=idle".to_owned(),
            "ProtectSystem=strict".to_owned(),
            "ProtectHome=read-only".to_owned(),
        ];
        for path in writes {
            lines.push(format!("ReadWritePaths={}", quote(&shown(path), false)));
        }
        // Of these it would see its own.
        let is_tmp = |path: &Path| path.starts_with("/tmp") || path.starts_with("/var/tmp");
        if !is_tmp(folder) && !writes.iter().any(|path| is_tmp(path)) {
            lines.push("PrivateTmp=yes".to_owned());
        }
        lines.extend(HARDENED.iter().map(|line| (*line).to_owned()));
        lines.push(String::new());
        lines.join("\n")
    }

    fn timer(&self) -> String {
        let when = percents(&self.on_calendar);
        format!(
            "[Unit]\nDescription=Dalsegno backups: {}\n\n[Timer]\nOnCalendar={when}\nPersistent=true\nRandomizedDelaySec=5min\n\n[Install]\nWantedBy=timers.target\n",
            self.what.word()
        )
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| Failure::io(format!("finding {}", path.display()), e))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
