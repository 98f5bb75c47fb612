console.log('reported')
