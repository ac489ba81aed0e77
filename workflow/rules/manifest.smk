MANIFEST = f"{RESULTS}/manifest.json"


def results_of_all(wildcards):
    """Everything a whole run makes, but the manifest itself."""
    return [name for name in rules.all.input if name != MANIFEST]


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
    params:
        results=RESULTS,
        code=code_digest("manifest"),
    shell:
        "mrd manifest {params.results:q} 2> {log}"
