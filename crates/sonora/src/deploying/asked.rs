//! Taking players over when another program asks for it.

use std::time::Duration;

use dalsegno::{Request, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Deploying, Offered, Rolling, Taking};
use crate::ask::{read, to_json};

/// What [`TAKE`](crate::TAKE) is asked with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deployment {
    /// Only look which players there are.
    pub dry_run: bool,
    /// Batch by batch, not all or none.
    pub rolling: bool,
    /// How many at once; 5 unless said.
    pub batch: Option<usize>,
    /// How long to wait between two batches, in milliseconds; 10,000 unless said.
    pub between_ms: Option<u64>,
    /// In what time each, or all together, have to be handed over, in milliseconds; 60,000 unless said.
    pub timeout_ms: Option<u64>,
}

/// What [`TAKE`](crate::TAKE) answers.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Deployed {
    /// What there was to take.
    pub offered: Vec<Offered>,
    /// What became of each; nothing where it was only looked.
    pub players: Vec<Taking>,
    /// Players of the bot that do not play what they should, and why.
    pub wrong: Vec<(u64, String)>,
}

pub(crate) async fn take(deploying: &Deploying, request: &Request) -> Result<Value> {
    let wanted: Deployment = read(request)?;
    let usual = Rolling::default();
    let rolling = Rolling {
        batch: wanted.batch.unwrap_or(usual.batch),
        between: wanted
            .between_ms
            .map_or(usual.between, Duration::from_millis),
        timeout: wanted
            .timeout_ms
            .map_or(usual.timeout, Duration::from_millis),
    };
    let offered = deploying.prepare().await?;
    let players = if wanted.dry_run {
        Vec::new()
    } else if wanted.rolling {
        deploying.take_rolling(&rolling).await?
    } else {
        let taken = deploying.take_all(rolling.timeout).await?.into_iter();
        let taken = taken.map(|taken| Taking {
            guild: taken.guild,
            taken: Some(taken),
            error: None,
        });
        taken.collect()
    };
    let wrong = deploying.verify().await.into_iter();
    to_json(&Deployed {
        offered,
        players,
        wrong: wrong
            .map(|(guild, error)| (guild, error.to_string()))
            .collect(),
    })
}
