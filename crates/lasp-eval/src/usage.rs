//! What Linux says of processes, from `/proc`; nothing elsewhere.

use crate::record::Usage;
use std::fs;
use std::time::Duration;

/// Milliseconds per tick of `utime` and `stime`: the kernel reports 100 ticks a second to user space everywhere.
const TICK_MS: u64 = 10;

/// What a process takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Resident memory, in bytes.
    pub rss_bytes: u64,
    /// The same with what is shared divided by those who share it: these add up over processes.
    pub pss_bytes: u64,
    /// Of this, what it shares with nobody.
    pub private_bytes: u64,
    /// Processor time so far, in microseconds.
    pub cpu_us: u64,
    /// How often it has waited and was woken.
    pub wakeups: u64,
    /// Its threads.
    pub threads: u64,
}

/// Resident memory and processor time of this process so far.
pub fn usage() -> Option<Usage> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    Some(Usage { rss_bytes: kibibytes(&status, "VmRSS:")?, cpu_ms: cpu(&stat)? })
}

/// Processor time of this thread so far.
pub fn thread_cpu() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// What another process takes; `None` if it is gone or somebody else's.
pub fn footprint(pid: u32) -> Option<Footprint> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).ok();
    let (status, maps) = (read("status")?, read("smaps_rollup")?);
    // Nanoseconds where the kernel keeps them, else the tick it counts in.
    let exact = read("schedstat").and_then(|text| text.split_ascii_whitespace().next()?.parse::<u64>().ok());
    Some(Footprint {
        rss_bytes: kibibytes(&maps, "Rss:")?,
        pss_bytes: kibibytes(&maps, "Pss:")?,
        private_bytes: kibibytes(&maps, "Private_Clean:")? + kibibytes(&maps, "Private_Dirty:")?,
        cpu_us: match exact {
            Some(ns) => ns / 1000,
            None => cpu(&read("stat")?)? * 1000,
        },
        wakeups: field(&status, "voluntary_ctxt_switches:")?.parse().ok()?,
        threads: field(&status, "Threads:")?.parse().ok()?,
    })
}

/// The rest of the line that begins with `name`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let kib: u64 = field(text, name)?.strip_suffix("kB")?.trim().parse().ok()?;
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
        let status = "Name:\tlasp\nVmRSS:\t    6172 kB\nThreads: 1\nnonvoluntary_ctxt_switches:\t9\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(6172 * 1024));
        assert_eq!((field(status, "Threads:"), field(status, "voluntary_ctxt_switches:")), (Some("1"), None));
        let stat = "71 (a )b) S 1 71 71 0 -1 4194560 411 0 0 0 25 5 0 0 20 0 1 0 100 1 2 3";
        assert_eq!(cpu(stat), Some(300));
        assert_eq!(cpu(""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory() {
        assert!(usage().expect("/proc is there").rss_bytes > 100_000);
        let footprint = footprint(std::process::id()).expect("/proc is there");
        assert!(footprint.rss_bytes >= footprint.pss_bytes && footprint.pss_bytes >= footprint.private_bytes);
        assert!(footprint.private_bytes > 10_000 && footprint.threads > 0 && footprint.cpu_us > 0, "{footprint:?}");
    }
}
