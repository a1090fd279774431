//! What this process takes of its machine.

/// What the process uses; zeros where the system does not say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// Resident memory, in bytes.
    pub(super) memory: u64,
    /// Processor time since its start.
    pub(super) cpu_ms: u64,
}

/// As proc(5) has it: pages of 4 KiB, ticks of 10 ms, which Linux guarantees to programs on the usual machines.
pub(super) fn usage() -> Usage {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let (statm, stat) = (read("/proc/self/statm"), read("/proc/self/stat"));
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    // The name, in parentheses, may hold anything; the fields behind it are numbers.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    Usage { memory: pages * 4096, cpu_ms: ticks.sum::<u64>() * 10 }
}

#[cfg(test)]
mod tests {
    use super::usage;

    #[test]
    fn this_process_uses_something() {
        assert!(usage().memory > 1 << 20);
    }
}
