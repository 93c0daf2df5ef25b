//! `dalsegno hermes inspect`.

use std::path::PathBuf;

use clap::Args;
use dalsegno_hermes::{Count, Status, Unreadable};

use super::{is_nothing, nothing_there};
use crate::failure::Result;
use crate::output::Out;
use crate::{human, style, table};

/// Count the messages of sessions and of their backups, and say what to do
///
/// -1 is what cannot be read as a session. Nothing is created or changed. Exit code 4 if neither a file
/// nor a backup is there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno hermes inspect sessions/20261121_0042.json
  dalsegno hermes inspect sessions/*.json --json | jq 'select(.recommend == \"restore\")'")]
pub(crate) struct Inspect {
    /// The sessions' files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Inspect {
    pub(super) fn run(&self, out: &mut Out) -> Result<()> {
        let mut rows = Vec::new();
        let mut failed = None;
        for path in &self.paths {
            match dalsegno_hermes::inspect(path) {
                Ok(status) => {
                    if is_nothing(&status) {
                        failed = failed.or_else(|| Some(nothing_there(path)));
                    }
                    if out.is_json() {
                        out.json(&status)?;
                    } else {
                        rows.push(row(&status));
                    }
                }
                Err(error) => failed = failed.or_else(|| Some(error.into())),
            }
        }
        if !rows.is_empty() {
            let heads = ["SESSION", ">LIVE", ">BACKUP", "RECOMMEND", ""];
            let mut lines = table::lay_out(&heads, rows).into_iter();
            if let Some(head) = lines.next() {
                out.line(style::head(head))?;
            }
            for line in lines {
                out.line(line)?;
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

fn row(status: &Status) -> Vec<String> {
    let why = |what: &str, count| match count {
        Count::Messages(_) | Count::Unreadable(Unreadable::Missing) => None,
        Count::Unreadable(why) => Some(format!("{what}: {why}")),
    };
    let live = why("live", status.live_messages);
    let backup = why("backup", status.bak_messages);
    vec![
        human::safe(&status.session_id),
        status.live_messages.to_i64().to_string(),
        status.bak_messages.to_i64().to_string(),
        status.recommend.to_string(),
        Vec::from_iter(live.into_iter().chain(backup)).join("; "),
    ]
}
