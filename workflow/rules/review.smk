ANCHOR = Path(f"{RESULTS}/review/anchor.tsv")
REVIEW = [f"{RESULTS}/review.tsv"] if ANCHOR.is_file() else []

if REVIEW:

    rule review:
        """Settled visits of the review, where people have begun one, to the table that the endpoint reads."""
        input:
            f"{RESULTS}/review/anchor.tsv",
            f"{RESULTS}/arms.tsv",
            f"{RESULTS}/clusters.tsv",
            calls=f"{RESULTS}/calls.tsv",
        output:
            f"{RESULTS}/review.tsv",
        log:
            f"{RESULTS}/logs/review.log",
        benchmark:
            f"{RESULTS}/benchmarks/review.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=memory("whole"),
            runtime=runtime("whole"),
        params:
            code=code_digest("reviewed"),
        shell:
            "mrd reviewed $(dirname {input.calls:q}) --out {output:q} 2> {log:q}"
