//! Memory does not grow with the file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::Command;

use dalsegno_hermes::{Count, count};

use crate::common::House;

const FILE: &str = "DALSEGNO_HERMES_LARGE";

#[test]
#[cfg(target_os = "linux")]
fn two_hundred_megabytes_are_counted_in_a_few() {
    let house = House::new();
    let path = house.path("large.json");
    let mut out = BufWriter::new(File::create(&path).unwrap());
    out.write_all(b"{\"messages\":[0").unwrap();
    let message = format!(
        ",{{\"role\":\"user\",\"content\":\"{}\"}}",
        "a long story ".repeat(800)
    );
    let count = 200_000_000 / message.len();
    for _ in 0..count {
        out.write_all(message.as_bytes()).unwrap();
    }
    out.write_all(b"]}").unwrap();
    out.flush().unwrap();
    let ran = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "memory::of_one_count",
            "--ignored",
            "--nocapture",
        ])
        .env(FILE, &path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(said.contains(&format!("counted {}", count + 1)), "{said}");
    let peak = said
        .lines()
        .find_map(|line| line.strip_prefix("kilobytes "));
    let peak: u64 = peak.unwrap().parse().unwrap();
    assert!(peak < 32_000, "{peak} kB");
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn of_one_count() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    if let Count::Messages(messages) = count(path.as_ref()) {
        println!("counted {messages}");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("kilobytes {}", peak.unwrap().trim().trim_end_matches(" kB"));
}
