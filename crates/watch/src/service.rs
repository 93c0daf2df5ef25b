//! A service of systemd that watches, for the user to install.

use std::path::{Path, PathBuf};

use crate::systemd::{HARDENED, percents, quote};

/// What the service runs, and what it needs.
#[derive(Debug, Clone)]
pub struct Service {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The folders it reads.
    pub folders: Vec<PathBuf>,
    /// The folder it writes: that of the store.
    pub store: PathBuf,
    /// Whom it runs as: a name or a number.
    pub user: String,
}

/// The unit file: the service may read what its user may, and write nothing but the store's folder; it has no
/// network, no devices and no privileges.
#[must_use]
pub fn unit(service: &Service) -> String {
    let command: Vec<_> = service
        .command
        .iter()
        .map(|word| quote(word, true))
        .collect();
    let folders: Vec<_> = service.folders.iter().map(|path| shown(path)).collect();
    let store = quote(&shown(&service.store), false);
    // Of these it would see its own.
    let own_tmp = service
        .folders
        .iter()
        .chain([&service.store])
        .all(|path| !path.starts_with("/tmp") && !path.starts_with("/var/tmp"));
    let mut lines = vec![
        "# /etc/systemd/system/dalsegno-watch.service, then:".to_owned(),
        "#   systemctl daemon-reload && systemctl enable --now dalsegno-watch".to_owned(),
        "[Unit]".to_owned(),
        format!(
            "Description=Dalsegno keeps session files in {} safe",
            percents(&folders.join(", "))
        ),
        "StartLimitIntervalSec=0".to_owned(),
        String::new(),
        "[Service]".to_owned(),
        "Type=exec".to_owned(),
        format!("User={}", service.user),
        format!("ExecStart={}", command.join(" ")),
        "Restart=on-failure".to_owned(),
        "RestartSec=5".to_owned(),
        "# What is pending is saved before it ends.".to_owned(),
        "TimeoutStopSec=60".to_owned(),
        "UMask=0077".to_owned(),
        String::new(),
        "# It reads what its user may read, and writes its store and nothing else.".to_owned(),
        "ProtectSystem=strict".to_owned(),
        "ProtectHome=read-only".to_owned(),
        format!("ReadWritePaths={store}"),
    ];
    if own_tmp {
        lines.push("PrivateTmp=yes".to_owned());
    }
    // Root reads the files of others by this one alone.
    let root = matches!(service.user.as_str(), "0" | "root");
    let capability = if root { "CAP_DAC_READ_SEARCH" } else { "" };
    lines.push(format!("CapabilityBoundingSet={capability}"));
    lines.extend(HARDENED.iter().map(|line| (*line).to_owned()));
    lines.extend([
        String::new(),
        "[Install]".to_owned(),
        "WantedBy=multi-user.target".to_owned(),
        String::new(),
    ]);
    lines.join("\n")
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(folder: &str) -> Service {
        let words = [
            "/usr/bin/dalsegno",
            "watch",
            "--json",
            "--store",
            "/srv/s t/100%/$HOME",
            folder,
        ];
        Service {
            command: words.map(str::to_owned).to_vec(),
            folders: vec![folder.into()],
            store: "/srv/s t/100%/$HOME".into(),
            user: "1000".to_owned(),
        }
    }

    #[test]
    fn words_stay_words_and_nothing_is_filled_in() {
        let unit = unit(&service("/srv/\"chats\"\n[Service]"));
        let line = |begin: &str| unit.lines().find(|line| line.starts_with(begin)).unwrap();
        assert_eq!(
            line("ExecStart"),
            r#"ExecStart="/usr/bin/dalsegno" "watch" "--json" "--store" "/srv/s t/100%%/$$HOME" "/srv/\"chats\"\x0a[Service]""#
        );
        assert_eq!(
            line("ReadWritePaths"),
            r#"ReadWritePaths="/srv/s t/100%%/$HOME""#
        );
        assert!(unit.contains("PrivateTmp") && unit.contains("Restart=on-failure"));
        assert_eq!(unit.matches("\n[Service]\n").count(), 1);
        assert_eq!(line("CapabilityBoundingSet"), "CapabilityBoundingSet=");
        assert!(!super::unit(&service("/tmp/x")).contains("PrivateTmp"));
    }
}
