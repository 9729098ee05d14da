"""Taking in a file of cases: mapping → rows → checked drafts → reports, in small transactions that live work passes."""
