//! The overlay at work: many peers in the simulator, with and without faults.

mod full;
mod hyparview;
mod world;
