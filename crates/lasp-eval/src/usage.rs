//! What Linux says of this process, from `/proc`; nothing elsewhere.

use crate::record::Usage;
use std::fs;

/// Milliseconds per tick of `utime` and `stime`: the kernel reports 100 ticks a second to user space everywhere.
const TICK_MS: u64 = 10;

/// Resident memory and processor time of this process so far.
pub fn usage() -> Option<Usage> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    Some(Usage { rss_bytes: rss(&status)?, cpu_ms: cpu(&stat)? })
}

fn rss(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn cpu(stat: &str) -> Option<u64> {
    // The name in parentheses may hold spaces; what follows it does not.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) * TICK_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_time_are_read_from_the_kernels_text() {
        assert_eq!(rss("Name:\tlasp\nVmRSS:\t    6172 kB\nThreads: 1\n"), Some(6172 * 1024));
        let stat = "71 (a )b) S 1 71 71 0 -1 4194560 411 0 0 0 25 5 0 0 20 0 1 0 100 1 2 3";
        assert_eq!(cpu(stat), Some(300));
        assert_eq!(cpu(""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory() {
        assert!(usage().expect("/proc is there").rss_bytes > 100_000);
    }
}
