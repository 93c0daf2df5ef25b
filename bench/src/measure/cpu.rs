//! CPU time of this process and of those it started, and time by the clock.

use std::iter::Sum;
use std::time::Instant;

use anyhow::Result;
use nix::sys::resource::{UsageWho, getrusage};
use rustix::time::{ClockId, clock_gettime};

/// What a piece of work took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Microseconds of CPU time, of all threads and of finished child processes.
    pub cpu_us: f64,
    /// Microseconds by the clock.
    pub wall_us: f64,
}

impl Sum for Spent {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), |sum, next| Self {
            cpu_us: sum.cpu_us + next.cpu_us,
            wall_us: sum.wall_us + next.wall_us,
        })
    }
}

/// Does the work and tells what it took.
pub fn spent<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Spent)> {
    let children = children_us();
    let wall = Instant::now();
    let cpu = own_us();
    let outcome = work()?;
    let cpu = own_us() - cpu;
    let wall_us = wall.elapsed().as_secs_f64() * 1e6;
    let spent = Spent {
        cpu_us: cpu + (children_us() - children),
        wall_us,
    };
    Ok((outcome, spent))
}

/// Microseconds of CPU time of this process, all threads: by a finer clock than `getrusage`.
#[must_use]
pub fn own_us() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn children_us() -> f64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0.0, |usage| {
        let (user, system) = (usage.user_time(), usage.system_time());
        let seconds = (user.tv_sec() + system.tv_sec()) as f64;
        seconds.mul_add(1e6, (user.tv_usec() + system.tv_usec()) as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_this_process_and_of_its_children_counts() {
        let busy = || Ok((0..3_000_000_u64).fold(1_u64, |a, b| std::hint::black_box(a ^ (b * a))));
        let (_, own) = spent(busy).expect("no failure");
        assert!(own.cpu_us > 0.0);
        let count = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
        let child = || {
            Ok(std::process::Command::new("sh")
                .args(["-c", count])
                .status()?)
        };
        let (_, child) = spent(child).expect("no failure");
        assert!(child.cpu_us > 1000.0, "{} µs", child.cpu_us);
    }
}
