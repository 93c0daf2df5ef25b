//! Workloads and peers of Dalsegno, side by side in one run.
//!
//! Everything a ratio is made of stands here: the [`workload`]s with their edit rates, the
//! [`peer`]s they are compared with, the [`measure`]s and the [`report`]. Times are CPU times and
//! only ever reported as ratios or side by side in one run; no test depends on one.

pub mod examples;
pub mod machine;
pub mod measure;
pub mod peer;
pub mod report;
pub mod workload;
