//! The overlay at work: many peers in the simulator, with and without faults.

mod codec;
mod full;
mod hostile;
mod hyparview;
mod matrix;
mod partial_matrix;
mod scamp;
mod schedules;
mod strategy;
mod tags;
mod world;
mod xbot;
