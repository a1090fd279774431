//! What others published: the Plumtree paper (SRDS 2007; points read from its figures), and iroh-gossip 0.101's simulator, as run
//! with 10,000 nodes and links of 10 to 50 ms: means over 30 rounds, the first among them.

/// RMR of a steady tree, with one sender and with many: the paper.
pub const RMR: f64 = 0.0;

/// Last delivery hop with one sender: the paper.
pub const LDH_SINGLE: f64 = 9.0;

/// Last delivery hop with many senders, with its optimisation: the paper.
pub const LDH_MULTI: f64 = 17.0;

/// Figure 6a: percent failed, and percent of the survivors that hear the first message.
pub const FIRST: [(u32, f64); 9] =
    [(10, 100.0), (20, 99.9), (30, 99.7), (40, 98.7), (50, 95.0), (60, 56.0), (70, 15.0), (80, 0.0), (90, 0.0)];

/// Control messages per broadcast of a steady tree, one sender or many without optimisation, of 10,000: the paper's Table 1.
pub const CONTROL: f64 = 29_987.0;

/// iroh-gossip: RMR with one sender, with many.
pub const IROH_RMR: [f64; 2] = [0.07, 0.34];

/// iroh-gossip: last delivery hop with one sender, with many.
pub const IROH_LDH: [f64; 2] = [32.0, 39.3];

/// iroh-gossip: last delivery in milliseconds with one sender, with many.
pub const IROH_LAST_MS: [f64; 2] = [896.0, 1166.0];
