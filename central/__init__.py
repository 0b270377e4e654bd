"""The office: takes results in, keeps the ledger, issues rosters and policies, audits."""
