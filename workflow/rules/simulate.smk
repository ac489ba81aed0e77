MADE = [p for p in SAMPLES["path"] if Path(p).resolve().is_relative_to(DEMO.resolve())]

if MADE:

    rule simulate:
        """The demo's FCS files from its plan, with their truth beside them."""
        input:
            SETTINGS.samples,
        output:
            MADE,
        log:
            f"{RESULTS}/logs/simulate.log",
        benchmark:
            f"{RESULTS}/benchmarks/simulate.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=memory("simulate"),
            runtime=runtime("simulate"),
        params:
            code=code_digest("simulate"),
        shell:
            "mrd simulate --plan {input} 2> {log}"
