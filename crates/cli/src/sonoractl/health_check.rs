//! `sonoractl health-check`: whether the node answers.

use std::time::Duration;

use clap::Args;
use dalsegno::ErrorKind;
use dalsegno_sonora::lavalink::{Address, Info, Rest, Stats};
use serde_json::json;

use super::options::Options;
use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::{human, style};

/// Ask the Lavalink node how it is
///
/// Exit code 9 if nobody answers there, 8 for a wrong password, 2 if it is of another version than 4.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl health-check
  sonoractl health-check --host lavalink.example --port 2333 --password-file node.password")]
pub(super) struct HealthCheck {}

/// What a node said.
pub(super) struct Health {
    pub(super) info: Info,
    pub(super) stats: Stats,
}

impl HealthCheck {
    #[expect(clippy::unused_self, reason = "as every verb")]
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        let address = options.node()?;
        let Health { info, stats } = ask(&address)?;
        if out.is_json() {
            return out.json(&json!({
                "node": address.to_string(), "version": info.version, "players": stats.players,
                "playing": stats.playing, "uptime_ms": stats.uptime, "cores": stats.cores,
                "load": stats.load, "memory_bytes": stats.memory, "sources": info.sources,
                "filters": info.filters,
            }));
        }
        let node = human::safe(&address.to_string());
        out.line(format!(
            "{}: {node} is Lavalink {}",
            style::good("well"),
            human::safe(&info.version)
        ))?;
        #[expect(clippy::cast_precision_loss, reason = "to be read by people")]
        let uptime = human::seconds(stats.uptime as f64 / 1000.0);
        out.line(format!(
            "{}, {} of them playing; up for {uptime}; {}, load {:.0} %, {} used",
            human::count(stats.players, "player"),
            stats.playing,
            human::count(stats.cores, "core"),
            stats.load * 100.0,
            human::size(stats.memory)
        ))
    }
}

/// Asks once: somebody waits for the answer.
pub(super) fn ask(address: &Address) -> Result<Health> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|e| Failure::io("starting to ask the node", e))?;
    let rest = Rest::new(address)?.patience(Duration::ZERO);
    let asked = runtime.block_on(async {
        let info = rest.info().await?;
        let stats = rest.stats().await?;
        Ok::<_, dalsegno::Error>(Health { info, stats })
    });
    asked.map_err(|error| {
        let remedy = remedy(error.kind(), address);
        Failure::from(error).advise(&remedy)
    })
}

/// What was asked, and what can be done about the answer.
fn remedy(kind: ErrorKind, address: &Address) -> String {
    if kind == ErrorKind::Denied {
        return "see --password-file and SONORA_PASSWORD".to_owned();
    }
    let (scheme, other) = if address.secure {
        ("https", "leave --tls out if it does not speak TLS")
    } else {
        ("http", "give --tls if it speaks TLS")
    };
    format!("asked was {scheme}://{address}: see --host and --port, and {other}")
}
