//! Lasp: distributed, coordination-free programming with replicated variables.
