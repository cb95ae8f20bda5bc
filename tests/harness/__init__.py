"""What the integration tests and the demo share: throw-away PostgreSQL clusters, the programs, writers with a
ledger, and the comparison of two databases. Everything listens on loopback, lives in one temporary directory
and dies with the process that started it, also when that one is killed."""
