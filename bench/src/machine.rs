//! Facts of the machine a report was made on.

use std::fs;
use std::process::Command;

use serde::Serialize;

/// What a reader must know before comparing figures with another report.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Cores this process may use.
    pub cores: usize,
    /// The processor's name.
    pub cpu: String,
    /// Operating system and kernel.
    pub kernel: String,
    /// The git that was compared with.
    pub git: String,
    /// The Python that was compared with.
    pub python: String,
    /// False when the stores lie in memory: then making them durable costs nothing.
    pub disk: bool,
    /// False when built without optimisation: then times mean nothing.
    pub optimised: bool,
}

impl Machine {
    /// The facts of this machine; what cannot be found out is `unknown`.
    #[must_use]
    pub fn here() -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|info| {
                let line = info.lines().find(|l| l.starts_with("model name"))?;
                Some(line.split_once(':')?.1.trim().to_owned())
            })
            .unwrap_or_else(unknown);
        let system = rustix::system::uname();
        Self {
            cores: std::thread::available_parallelism().map_or(0, Into::into),
            cpu,
            kernel: format!(
                "{} {}",
                system.sysname().to_string_lossy(),
                system.release().to_string_lossy()
            ),
            git: version("git"),
            python: version("python3"),
            disk: on_a_disk(),
            optimised: !cfg!(debug_assertions),
        }
    }

    /// One line for the head of a report.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = format!(
            "{} cores of {}, {}, {}, {}",
            self.cores, self.cpu, self.kernel, self.git, self.python
        );
        if !self.disk {
            line.push_str("; STORES IN MEMORY: syncs are free (set TMPDIR to a folder on a disk)");
        }
        if !self.optimised {
            line.push_str("; BUILT WITHOUT OPTIMISATION: times mean nothing");
        }
        line
    }
}

/// Whether temporary folders, where all stores of a run lie, are on something that keeps them.
#[cfg(target_os = "linux")]
fn on_a_disk() -> bool {
    const TMPFS: i64 = 0x0102_1994;
    rustix::fs::statfs(std::env::temp_dir()).is_ok_and(|fs| fs.f_type != TMPFS)
}

#[cfg(not(target_os = "linux"))]
const fn on_a_disk() -> bool {
    true
}

fn version(program: &str) -> String {
    Command::new(program)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(unknown, |text| text.trim().to_owned())
}

fn unknown() -> String {
    "unknown".to_owned()
}
