rule manifest:
    """Every file of the run with its digest and how it came to be, for `mrd verify`."""
    input:
        results_of_all,
    output:
        MANIFEST,
    log:
        f"{RESULTS}/logs/manifest.log",
    benchmark:
        f"{RESULTS}/benchmarks/manifest.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory("whole"),
        runtime=runtime("whole"),
    params:
        results=subpath(output[0], parent=True),
        code=code_digest("manifest"),
    shell:
        "mrd manifest {params.results:q} 2> {log}"
